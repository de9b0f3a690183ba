//! Why a filter may not see or edit something.

/// A map or head cannot be read, or not be written, in this phase: it is not there yet, not any more, or not held by
/// this filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not available in this phase of the stream")]
pub struct Unavailable;

/// Why body bytes could not be read or edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There are no body bytes to see or edit in this phase.
    #[error("no body bytes are available in this phase of the stream")]
    Unavailable,
    /// The range begins beyond the end of the bytes.
    #[error("the range begins beyond the end of the body bytes")]
    OutOfRange,
    /// The edit would exceed the limit on bytes held.
    #[error("the edit would exceed the limit on body bytes held by a filter")]
    TooLarge,
}

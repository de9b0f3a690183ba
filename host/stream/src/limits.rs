//! How much a stream may hold.

/// Bytes. Envoy's default buffer limit, so that a plugin that can buffer a message there can buffer it here, and one
/// that cannot there finds out here.
pub const DEFAULT_BODY_BYTES: usize = 1024 * 1024;

/// How many body bytes one filter may hold.
///
/// A body that a filter buffers and that outgrows its limit is answered with 413 (request) or 500 (response); one that
/// a filter holds with back-pressure makes [`Stream::wants_data`](crate::Stream::wants_data) false at the limit. Bodies
/// that nobody holds are not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the request body that one filter may hold. Default: [`DEFAULT_BODY_BYTES`].
    pub request_body_bytes: usize,
    /// Bytes of the response body that one filter may hold. Default: [`DEFAULT_BODY_BYTES`].
    pub response_body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body_bytes: DEFAULT_BODY_BYTES,
            response_body_bytes: DEFAULT_BODY_BYTES,
        }
    }
}

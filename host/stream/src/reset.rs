//! Why a stream is reset.

use http::StatusCode;

use crate::effect::Direction;
use crate::filter::FilterIndex;

/// Why a stream is reset: the exchange cannot be brought to a truthful end any more.
///
/// The message calls a filter by its place in the chain; [`filter`](Self::filter) returns it for those who know its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResetReason {
    /// A filter asked for it.
    #[error("filter {0} reset the stream")]
    ByFilter(FilterIndex),
    /// A local response came too late.
    #[error(
        "local response `{status}` of filter {filter} came after the response's head had gone; send it before continuing the response headers"
    )]
    LateLocalResponse {
        /// The filter that made it.
        filter: FilterIndex,
        /// Its status.
        status: StatusCode,
    },
    /// The host had to answer with a local response, too late.
    #[error("the host's response `{status}` ({details}) came after the response's head had gone")]
    LateHostResponse {
        /// Its status.
        status: StatusCode,
        /// Why it was made.
        details: String,
    },
    /// A filter failed after the response's head had gone.
    #[error("filter {0} failed after the response's head had gone")]
    FilterFailed(FilterIndex),
    /// A body outgrew what a filter may hold after the response's head had gone.
    #[error(
        "filter {filter} holds more than {limit} bytes of the {direction} body; pause with back-pressure or raise the limit"
    )]
    BodyTooLarge {
        /// The filter that holds the body.
        filter: FilterIndex,
        /// The message it belongs to.
        direction: Direction,
        /// The limit in bytes.
        limit: usize,
    },
    /// A filter changed a body's length after its `content-length` had gone.
    #[error(
        "filter {filter} made the {direction} body {actual} bytes long after `content-length: {declared}` had gone; remove `content-length` in the headers callback"
    )]
    ContentLength {
        /// The filter that edited the message.
        filter: FilterIndex,
        /// The message.
        direction: Direction,
        /// Bytes that the head promised.
        declared: u64,
        /// Bytes that the message has; if more than declared, at least so many.
        actual: u64,
    },
    /// The upstream gave up after the response's head had gone.
    #[error("the upstream reset the stream after the response's head had gone")]
    UpstreamReset,
}

impl ResetReason {
    /// Returns the filter that is to blame, if one is.
    #[must_use]
    pub fn filter(&self) -> Option<FilterIndex> {
        match self {
            Self::ByFilter(filter)
            | Self::LateLocalResponse { filter, .. }
            | Self::FilterFailed(filter)
            | Self::BodyTooLarge { filter, .. }
            | Self::ContentLength { filter, .. } => Some(*filter),
            Self::LateHostResponse { .. } | Self::UpstreamReset => None,
        }
    }
}

//! The words between the machine and its driver: what is to be done, and what filters answer.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

use crate::filter::FilterIndex;
use crate::head::{RequestHead, ResponseHead};
use crate::reset::ResetReason;

/// One of the two messages of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From downstream to upstream.
    Request,
    /// From upstream to downstream.
    Response,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Response => "response",
        })
    }
}

/// A map of fields that belongs to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MapKind {
    /// Header fields of the request; `host` among them is the authority (see [`RequestHead`]).
    RequestHeaders,
    /// Trailer fields of the request.
    RequestTrailers,
    /// Header fields of the response.
    ResponseHeaders,
    /// Trailer fields of the response.
    ResponseTrailers,
}

/// What the driver is to do next.
#[derive(Debug)]
pub enum Effect {
    /// Enter the filter, then answer with [`Stream::handle_action`](crate::Stream::handle_action) or
    /// [`Stream::handle_filter_failed`](crate::Stream::handle_filter_failed) before polling again.
    Callback(FilterIndex, Callback),
    /// Choose a route and send this head upstream.
    RequestHead {
        /// The head. Method and path are there; the authority unless the downstream request had none.
        head: RequestHead,
        /// Neither body nor trailers follow.
        end_of_stream: bool,
    },
    /// Send these bytes upstream; true: they end the request. They may be none if they do.
    RequestData(Bytes, bool),
    /// Send these trailers upstream; they end the request.
    RequestTrailers(HeaderMap),
    /// Send this head downstream.
    ResponseHead {
        /// The head. The status is there.
        head: ResponseHead,
        /// Neither body nor trailers follow.
        end_of_stream: bool,
    },
    /// Send these bytes downstream; true: they end the response. They may be none if they do.
    ResponseData(Bytes, bool),
    /// Send these trailers downstream; they end the response.
    ResponseTrailers(HeaderMap),
    /// A local response takes over: give up the upstream request and response, if there are any. No request effect
    /// follows; what is handed in of either message from now on is ignored.
    AbandonUpstream,
    /// Reset downstream, and upstream if there is one, then call [`Stream::end`](crate::Stream::end).
    Reset(ResetReason),
}

/// A callback of a filter (ABI reference, 1.4 and 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callback {
    /// The request's head is there.
    RequestHeaders {
        /// The number of fields, start line and `host` excluded.
        count: u32,
        /// Neither body nor trailers follow.
        end_of_stream: bool,
    },
    /// A piece of the request body is there.
    RequestBody {
        /// The bytes that can be read now.
        size: u32,
        /// The body ends with them, and no trailers follow.
        end_of_stream: bool,
    },
    /// The request's trailers are there.
    RequestTrailers {
        /// The number of fields.
        count: u32,
    },
    /// The response's head is there.
    ResponseHeaders {
        /// The number of fields, status excluded.
        count: u32,
        /// Neither body nor trailers follow.
        end_of_stream: bool,
    },
    /// A piece of the response body is there.
    ResponseBody {
        /// The bytes that can be read now.
        size: u32,
        /// The body ends with them, and no trailers follow.
        end_of_stream: bool,
    },
    /// The response's trailers are there.
    ResponseTrailers {
        /// The number of fields.
        count: u32,
    },
    /// The exchange is over. The filter's last callback; to be answered with [`Action::Done`].
    StreamEnd,
}

/// What a filter answered to a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// To a headers callback.
    Headers(HeaderAction),
    /// To a body callback.
    Data(DataAction),
    /// To a trailers callback.
    Trailers(TrailersAction),
    /// To [`Callback::StreamEnd`].
    Done,
}

/// What becomes of a message after a headers callback (ABI reference, 2.3 and 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderAction {
    /// The head goes on to the next filter.
    Continue,
    /// The head is held; what the body does is [`Filter::on_headers_pause`](crate::Filter::on_headers_pause).
    Pause,
    /// The same as `Continue`, as Envoy treats it.
    ContinueAndEndStream,
    /// All is held; a body that outgrows the limit is answered with 413 or 500.
    PauseAllAndBuffer,
    /// All is held; a body that reaches the limit waits at its sender.
    PauseAllAndWatermark,
}

/// What becomes of body bytes after a body callback (ABI reference, 6.2 and 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataAction {
    /// All that was held and shown goes on to the next filter.
    Continue,
    /// The bytes are held; the next callback shows them again, followed by the new ones.
    PauseAndBuffer,
    /// The bytes are held; the next callback shows only the new ones.
    PauseAndWatermark,
    /// The bytes that were shown are dropped: the filter has taken them over.
    PauseNoBuffer,
}

/// What becomes of a message after a trailers callback (ABI reference, 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrailersAction {
    /// The trailers go on to the next filter, after everything of the message that was held.
    Continue,
    /// The trailers are held, and what was held before them.
    Pause,
}

/// What becomes of a stream whose filter has failed: the plugin's failure policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The stream is answered with 503, or reset once the response's head has gone.
    Closed,
    /// The filter is skipped from now on; what it held goes on unchanged.
    Open,
}

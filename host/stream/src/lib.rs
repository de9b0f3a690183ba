//! The state machine of one HTTP exchange through a chain of Proxy-Wasm filters, without sockets, clock or plugins.
//!
//! A [`Stream`] takes in what happens (`handle_*`), answers hostcalls of filters at once, and says what is to be done
//! next ([`Stream::poll_effect`]). A driver moves messages between it and the connections, and enters plugins for it.
//! Phases, pausing and resuming, buffering, local responses and the end of the stream behave as in Envoy 1.36, but for
//! the [`Deviation`]s.
//!
//! # Order of calls
//!
//! 1. Hand in what there is: [`handle_request_head`](Stream::handle_request_head), then data and trailers as they come,
//!    in any portions; a message ends with `end_of_stream` or with its trailers.
//! 2. Poll effects until there are none, and do them in order. [`Effect::Callback`] must be answered with
//!    [`handle_action`](Stream::handle_action) or [`handle_filter_failed`](Stream::handle_filter_failed) before polling
//!    again; hostcalls may come before the answer, and at any other time.
//! 3. Poll again after everything that was handed in, and after hostcalls made outside a callback.
//!    Then see whether [`wants_data`](Stream::wants_data) has become true: a resume makes room without an effect to show
//!    for it.
//! 4. Call [`end`](Stream::end) when the response has been sent, or the exchange has failed, and poll: filters hear of it.
//!
//! Nothing that is handed in out of order, and no answer of a filter, makes the machine panic or forget its order; with
//! debug assertions, mistakes of the driver against rule 2 do panic.
//!
//! ```
//! use proxy_wasi_stream::{
//!     Action, Callback, Effect, Filter, FilterIndex, HeaderAction, Interest, Limits, MapKind, RequestHead, Stream,
//! };
//!
//! let filter = Filter { interest: Interest::REQUEST_HEADERS, ..Filter::default() };
//! let mut stream = Stream::new([filter], Limits::default());
//! let head = RequestHead {
//!     method: Some(http::Method::GET),
//!     path: Some(http::uri::PathAndQuery::from_static("/")),
//!     ..RequestHead::default()
//! };
//! stream.handle_request_head(head, true);
//!
//! let callback = Callback::RequestHeaders { count: 0, end_of_stream: true };
//! assert!(matches!(stream.poll_effect(), Some(Effect::Callback(FilterIndex(0), found)) if found == callback));
//! let fields = stream.fields_mut(FilterIndex(0), MapKind::RequestHeaders)?;
//! fields.insert("x-seen", http::HeaderValue::from_static("yes"));
//! stream.handle_action(FilterIndex(0), Action::Headers(HeaderAction::Continue));
//!
//! let Some(Effect::RequestHead { head, end_of_stream: true }) = stream.poll_effect() else { unreachable!() };
//! assert_eq!(head.headers["x-seen"], "yes");
//! assert!(stream.poll_effect().is_none());
//! # Ok::<(), proxy_wasi_stream::Unavailable>(())
//! ```
#![forbid(unsafe_code)]

mod access;
mod body;
mod content_length;
mod deviation;
mod effect;
mod filter;
mod head;
mod interest;
mod limits;
mod local_response;
mod path;
mod reset;
mod station;
mod stream;

pub use crate::access::{BodyError, Unavailable};
pub use crate::deviation::Deviation;
pub use crate::effect::{
    Action, Callback, DataAction, Direction, Effect, HeaderAction, MapKind, OnFailure,
    TrailersAction,
};
pub use crate::filter::{Filter, FilterIndex, HeadersPause};
pub use crate::head::{RequestHead, ResponseHead};
pub use crate::interest::Interest;
pub use crate::limits::{DEFAULT_BODY_BYTES, Limits};
pub use crate::local_response::{LocalResponse, grpc_status_of};
pub use crate::reset::ResetReason;
pub use crate::stream::Stream;

//! The downstream side: accepts connections, speaks HTTP/1 and HTTP/2 with clients and calls a service per request.
//!
//! Each worker calls [`serve`] with its own listener, see [`bind`]. Nothing here is shared between workers but the
//! [`DrainSignal`]. What is said to clients and upstreams about a message on its way through is in [`intermediary`].

mod access_log;
mod connection;
mod drain;
mod framing;
mod http;
pub mod intermediary;
mod io;
mod listener;
mod options;
mod request_id;
mod worker;

pub use access_log::{AccessLog, AccessLogHandle, AccessLogWriter, AccessRecord};
pub use connection::{ConnectionInfo, DownstreamProtocol};
pub use drain::{DrainSignal, DrainTrigger, drain};
pub use http::OnRefused;
pub use listener::{bind, probe};
pub use options::{
    DEFAULT_BACKLOG, DEFAULT_CLOSE_LINGER, DEFAULT_DRAIN_LINGER, DEFAULT_MAX_CONCURRENT_STREAMS,
    DEFAULT_MAX_CONNECTIONS, DEFAULT_MAX_HEAD_BYTES, ServerOptions,
};
pub use request_id::RequestIds;
pub use worker::{Served, serve};

//! The way to the servers behind the proxy.
//!
//! A [`Cluster`] names an upstream; an [`UpstreamClient`] belongs to one worker, keeps its connections and sends
//! requests. [`echo`] is the upstream that needs no server.

mod body;
mod client;
mod cluster;
mod connect;
mod connection;
pub mod echo;
mod error;
mod h1;
mod h2;
pub mod head;
mod io;
mod pool;
mod tls;

pub use body::UpstreamBody;
pub use client::{
    DEFAULT_MAX_CONNECTIONS_PER_CLUSTER, DEFAULT_MAX_HEAD_BYTES, DEFAULT_MAX_IDLE_PER_CLUSTER,
    DEFAULT_POOL_IDLE_TIMEOUT, DEFAULT_RELEASE_TIMEOUT, RETRY_AFTER_IDLE, UpstreamClient,
    UpstreamOptions,
};
pub use cluster::Cluster;
pub use connection::{SentRequest, UpstreamConnection, UpstreamTls};
pub use error::{UpstreamError, UpstreamErrorKind};
pub use tls::{TlsError, Trust};

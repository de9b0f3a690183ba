//! Runs the proxy as its users do, between scripted clients and upstreams.
//!
//! Nothing here waits for a time to pass: servers are asked for port 0 and tell where they listen, and log lines are
//! waited for, up to a limit that only a failing test reaches.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::indexing_slicing,
    reason = "support of tests: what goes wrong here fails a test, and says so"
)]

mod client;
mod grpc;
mod guests;
mod listener;
mod long;
mod origin;
mod proxy;
mod tls;

pub use client::{Client, Reply};
pub use grpc::GrpcServer;
pub use guests::{
    Example, Kind, LEGACY_RUST_HEADERS_UNKNOWN, SCRIPTED_LEGACY, SCRIPTED_WIT, enemy_with_lines,
};
pub use long::{Checker, LongBody, Pattern};
pub use origin::{Origin, Received, Trailers};
pub use proxy::{Failed, Proxy, ProxyBuilder};
pub use tls::{Ca, Identity, Shown};

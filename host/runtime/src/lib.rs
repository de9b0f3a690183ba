//! Runs Proxy-Wasm plugins in a reverse proxy.
#![forbid(unsafe_code)]

pub mod clock;
mod executor;
pub mod server;
pub mod upstream;

/// An error of any kind, for the places where bodies of different origin meet.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

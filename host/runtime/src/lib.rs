//! Runs Proxy-Wasm plugins, legacy modules and components alike, in a reverse proxy.

pub mod config;
pub mod plugin;
pub mod vm;

use std::net::SocketAddr;

use config::Config;

/// The tracing target of access log lines, which have a switch of their own and no level.
pub const ACCESS_LOG_TARGET: &str = "proxy_wasi::access";

/// Why a proxy did not start or had to stop.
// PLACEHOLDER: replaced together with `run`.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What `run` is a placeholder for.
    #[error("this build cannot serve")]
    Placeholder,
}

/// Serves until the process is asked to stop.
///
/// # Errors
///
/// PLACEHOLDER: always.
pub fn run(_config: Config, _ready: impl FnOnce(SocketAddr)) -> Result<(), RunError> {
    Err(RunError::Placeholder)
}

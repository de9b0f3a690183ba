//! Runs Proxy-Wasm plugins, legacy modules and components alike, in a reverse proxy.

pub mod admin;
mod callout;
pub mod clock;
pub mod config;
mod connection_fields;
mod executor;
mod filter_chain;
mod flow_control;
pub mod foreign;
pub mod functions;
pub mod metrics;
pub mod plugin;
mod plugin_fields;
mod run;
pub mod server;
mod services;
pub mod state;
pub mod upstream;
pub mod vm;

pub use run::{Addresses, RunError, run, run_with};
pub use services::Services;

/// The target of plugins' own log lines, and of those about their traps.
pub const PLUGIN_LOG_TARGET: &str = "plugin";

/// An error of any kind, for the places where bodies of different origin meet.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

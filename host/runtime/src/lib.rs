//! Runs Proxy-Wasm plugins, legacy modules and components alike, in a reverse proxy.

pub mod plugin;
pub mod vm;

//! The built shim: the module that the linker puts before a legacy one. Its source is the crate `proxy-wasi-shim`.
#![forbid(unsafe_code)]

/// The shim, a core module for `wasm32-unknown-unknown`.
///
/// It imports the host's functions (`proxy-wasm:plugin/*`, `wasi:*`) and placeholders (`proxy-wasi:bridge`,
/// `proxy-wasi:legacy`) in whose place the linker generates functions, and exports `env.*` and `wasi.*` for what legacy
/// modules import.
pub const SHIM: &[u8] = include_bytes!(env!("PROXY_WASI_SHIM"));

/// The tracing build of the shim: it imports `proxy-wasm:plugin/trace` too, and tells that of every hostcall.
pub const TRACING_SHIM: &[u8] = include_bytes!(env!("PROXY_WASI_TRACING_SHIM"));

//! The shim: the legacy Proxy-Wasm ABI expressed on the interfaces of `proxy-wasm:plugin`.
//!
//! The linker makes a component of this module and a legacy one. What the legacy module imports is in [`exports`]:
//! one line for each function of the ABI, implemented in [`hostcalls`] by asking the host through [`bindings`]. What
//! the host calls is in [`callbacks`], which call the legacy module through [`bridge`].
//!
//! Two memories are in play: the shim's own and the legacy module's, reached only through [`memory`], which checks
//! every pointer. One instance is one VM and runs on one thread, so state lives in statics of the module it belongs
//! to. Nothing may be borrowed while legacy code runs: its allocator may make hostcalls.

mod bindings;

mod active;
mod bridge;
mod callbacks;
mod contexts;
mod exports;
mod field_cache;
mod hostcalls;
mod id_map;
mod log;
mod memory;
mod stdio;
#[cfg(feature = "trace")]
mod trace;

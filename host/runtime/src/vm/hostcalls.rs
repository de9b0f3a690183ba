//! Hostcalls: what a plugin asks of its host, one file for each interface of the contract.

mod clock;
mod foreign_function;
mod grpc_callout;
mod http_body;
mod http_callout;
mod http_headers;
mod http_start_line;
mod http_stream;
mod log;
mod metrics;
mod property;
mod random;
mod root_control;
mod shared_data;
mod shared_queue;
mod timer;

use wasmtime::component::{HasSelf, Linker};

use super::bindings::HttpPlugin;
use super::state::VmState;
use super::wasi;

impl super::bindings::proxy_wasm::plugin::plugin_types::Host for VmState {}
impl super::bindings::wasi::http::types::Host for VmState {}

/// Makes everything that a plugin may import available: our contract, the WASI 0.3 parts of it, and the WASI 0.2 that
/// ordinary toolchains bring along.
///
/// # Errors
///
/// None, unless two interfaces have the same name.
pub(crate) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    HttpPlugin::add_to_linker::<_, HasSelf<VmState>>(linker, |state| state)?;
    wasi::add_to_linker(linker)
}

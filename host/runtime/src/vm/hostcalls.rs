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
mod trace;

use wasmtime::component::{HasSelf, Linker};

pub(crate) use self::trace::RecentHostcalls;

use super::bindings::proxy_wasm::plugin;
use super::bindings::wasi as standard;
use super::state::VmState;
use super::wasi;

impl plugin::plugin_types::Host for VmState {}
impl standard::http::types::Host for VmState {}

/// Makes everything that a plugin may import available: our contract, the WASI 0.3 parts of it, and the WASI 0.2 that
/// ordinary toolchains bring along.
///
/// # Errors
///
/// None, unless two interfaces have the same name.
pub(crate) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    /// Links interfaces by what `bindgen!` has made for each.
    macro_rules! generated {
        ($($interface:path),+ $(,)?) => {{
            $({
                use $interface as interface;
                interface::add_to_linker::<_, HasSelf<VmState>>(linker, |state| state)?;
            })+
        }};
    }
    generated!(
        standard::clocks::monotonic_clock,
        standard::clocks::system_clock,
        standard::logging::logging,
        standard::random::random,
        standard::http::types,
        plugin::plugin_types,
        plugin::root_control,
        plugin::log_level,
        plugin::http_start_line,
        plugin::flat_headers,
        plugin::http_body,
        plugin::http_stream,
        plugin::property,
        plugin::http_callout,
        plugin::grpc_callout,
        plugin::shared_data,
        plugin::shared_queue,
        plugin::metrics,
        plugin::timer,
        plugin::foreign_function,
        plugin::trace,
    );
    http_headers::add_to_linker(linker)?;
    wasi::add_to_linker(linker)
}

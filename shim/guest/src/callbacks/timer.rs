//! Ticks (ABI reference 6.6).

use super::{Shim, call_root};
use crate::bindings::exports::proxy_wasm::plugin::timer_handler::Guest;
use crate::bindings::proxy_wasm::plugin::plugin_types::RootContext;
use crate::bridge;

impl Guest for Shim {
    fn on_tick(root: RootContext) {
        call_root(root, "proxy_on_tick", |id| bridge::proxy_on_tick(id));
    }
}

//! Calls of functions that host and plugin agreed on (ABI reference 9.2).

use super::received::{self, Received, ReceivedBytes};
use super::{Shim, call_root};
use crate::bindings::exports::proxy_wasm::plugin::foreign_function_handler::Guest;
use crate::bindings::proxy_wasm::plugin::plugin_types::RootContext;
use crate::bridge;

impl Guest for Shim {
    fn on_call(root: RootContext, function: u32, arguments: Vec<u8>) {
        let size = u32::try_from(arguments.len()).unwrap_or(u32::MAX);
        let received = Received {
            bytes: Some((ReceivedBytes::Arguments, arguments)),
            ..Received::default()
        };
        received::during(received, || {
            call_root(root, "proxy_on_foreign_function", |id| {
                bridge::proxy_on_foreign_function(id, function, size)
            })
        });
    }
}

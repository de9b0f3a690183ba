//! Notices of items in queues (ABI reference 4.11).

use super::{Shim, call_root};
use crate::bindings::exports::proxy_wasm::plugin::shared_queue_handler::Guest;
use crate::bindings::proxy_wasm::plugin::plugin_types::RootContext;
use crate::bindings::proxy_wasm::plugin::shared_queue::QueueToken;
use crate::bridge;

impl Guest for Shim {
    fn on_ready(root: RootContext, queue: QueueToken) {
        call_root(root, "proxy_on_queue_ready", |id| {
            bridge::proxy_on_queue_ready(id, queue)
        });
    }
}

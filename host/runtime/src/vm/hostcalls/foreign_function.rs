//! `foreign-function`: those of the proxy's registry, and those that act on a stream or its plugin.

mod declare_property;

use std::sync::Arc;

use crate::foreign::{ForeignCalls, ForeignError, ForeignFunction};
use crate::vm::bindings::proxy_wasm::plugin::foreign_function::{self, ForeignFunctionError};
use crate::vm::shared::VmHandle;
use crate::vm::state::VmState;

/// Envoy's functions (ABI 9.2) that are not here, unless an embedder registers them.
const UNSUPPORTED: [&str; 6] = [
    "set_envoy_filter_state",
    "expr_create",
    "expr_evaluate",
    "expr_delete",
    "verify_signature",
    "sign",
];

impl foreign_function::Host for VmState {
    fn call(
        &mut self,
        root: u64,
        context: Option<u64>,
        name: String,
        input: Vec<u8>,
    ) -> Result<Vec<u8>, ForeignFunctionError> {
        let functions = Arc::clone(&self.services.foreign_functions);
        if let Some(function) = functions.get(&name) {
            let result = match function {
                ForeignFunction::Plain(function) => function(&input),
                ForeignFunction::WithCaller(function) => {
                    let vm = self.handle();
                    let caller = self
                        .root_mut(root)
                        .ok_or(ForeignFunctionError::Failed)?
                        .foreign_caller(|calls| call_back(vm, root, calls));
                    function(&caller, &input)
                }
            };
            return result.map_err(|error| {
                tracing::debug!(function = name, %error, "foreign function failed");
                match error {
                    ForeignError::InvalidInput => ForeignFunctionError::InvalidInput,
                    ForeignError::NotSerializable => ForeignFunctionError::NotSerializable,
                    ForeignError::Failed => ForeignFunctionError::Failed,
                }
            });
        }
        match name.as_str() {
            // Nothing happens, and nothing is wrong, outside of a stream (ABI 9.2).
            "clear_route_cache" => {
                if let Some(stream) = context.and_then(|context| self.stream(context)) {
                    stream.access.clear_route_cache();
                }
                Ok(Vec::new())
            }
            "declare_property" => self.declare_property(root, &input),
            _ if let Some(known) = UNSUPPORTED.into_iter().find(|known| **known == name) => {
                self.report_once(known, || {
                    format!("this host does not have Envoy's foreign function `{known}`")
                });
                Err(ForeignFunctionError::Unsupported)
            }
            _ => {
                let shown: String = name.chars().take(80).collect();
                self.report_once(&format!("foreign function {shown}"), || {
                    format!("this host has no foreign function `{shown}`")
                });
                Err(ForeignFunctionError::NotFound)
            }
        }
    }
}

/// Calls a root context back, until it is aborted.
async fn call_back(vm: VmHandle, root: u64, mut calls: ForeignCalls) {
    while let Some((function, input)) = calls.next().await {
        vm.deliver(move |vm| vm.on_foreign_call(root, function, &input));
        // Requests get their turn between two calls; and here it ends if the callback has ended the root context.
        tokio::task::yield_now().await;
    }
}

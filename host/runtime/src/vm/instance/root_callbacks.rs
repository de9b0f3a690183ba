//! The callbacks that root contexts get outside of any stream. A plugin exports those it wants; the others do nothing.

use wasmtime::component::{Instance, InstancePre};

use super::Vm;
use crate::vm::bindings::exports::proxy_wasm::plugin::{
    foreign_function_handler, grpc_callout_handler, http_callout_handler, shared_queue_handler,
    timer_handler,
};
use crate::vm::bindings::wasi::http::types::ErrorCode;
use crate::vm::state::VmState;
use crate::vm::trap::Trap;

/// Where a component exports the handlers, by those it has.
#[derive(Clone)]
pub(super) struct HandlerIndices {
    timer: Option<timer_handler::GuestIndices>,
    shared_queue: Option<shared_queue_handler::GuestIndices>,
    http_callout: Option<http_callout_handler::GuestIndices>,
    grpc_callout: Option<grpc_callout_handler::GuestIndices>,
    foreign_function: Option<foreign_function_handler::GuestIndices>,
}

/// The handlers of an instance.
pub(super) struct Handlers {
    timer: Option<timer_handler::Guest>,
    shared_queue: Option<shared_queue_handler::Guest>,
    http_callout: Option<http_callout_handler::Guest>,
    grpc_callout: Option<grpc_callout_handler::Guest>,
    foreign_function: Option<foreign_function_handler::Guest>,
}

impl HandlerIndices {
    /// Finds the handlers. One that is there must have the contract's type.
    pub(super) fn find(instance: &InstancePre<VmState>) -> wasmtime::Result<Self> {
        let has = |name: &str| {
            let name = format!("proxy-wasm:plugin/{name}@0.1.0");
            instance.component().get_export_index(None, &name).is_some()
        };
        macro_rules! find {
            ($module:ident, $name:literal) => {
                if has($name) {
                    Some($module::GuestIndices::new(instance)?)
                } else {
                    None
                }
            };
        }
        Ok(Self {
            timer: find!(timer_handler, "timer-handler"),
            shared_queue: find!(shared_queue_handler, "shared-queue-handler"),
            http_callout: find!(http_callout_handler, "http-callout-handler"),
            grpc_callout: find!(grpc_callout_handler, "grpc-callout-handler"),
            foreign_function: find!(foreign_function_handler, "foreign-function-handler"),
        })
    }

    pub(super) fn load(
        &self,
        mut store: impl wasmtime::AsContextMut,
        instance: &Instance,
    ) -> wasmtime::Result<Handlers> {
        macro_rules! load {
            ($field:ident) => {
                match &self.$field {
                    Some(indices) => Some(indices.load(&mut store, instance)?),
                    None => None,
                }
            };
        }
        Ok(Handlers {
            timer: load!(timer),
            shared_queue: load!(shared_queue),
            http_callout: load!(http_callout),
            grpc_callout: load!(grpc_callout),
            foreign_function: load!(foreign_function),
        })
    }
}

/// Calls a handler's function for a live root context; without the root context nothing happens, and without the handler
/// only a line in the log.
macro_rules! call {
    ($vm:ident, $root:ident, $name:literal, $handler:ident . $function:ident ($($argument:expr),*)) => {{
        if $vm.store.data().root($root).is_none() {
            return Ok(());
        }
        if $vm.handlers.$handler.is_none() {
            $vm.report_missing($name, $root);
            return Ok(());
        }
        $vm.enter($name, $root, None, |vm| match &vm.handlers.$handler {
            Some(handler) => handler.$function(&mut vm.store, $root $(, $argument)*),
            None => Ok(()),
        })
    }};
}

impl Vm {
    /// Reports, once, that a plugin asked for an event whose callback it does not export.
    #[cold]
    fn report_missing(&mut self, callback: &'static str, root: u64) {
        let state = self.store.data_mut();
        state.current.root = root;
        state.report_once(callback, || {
            format!("the plugin does not export `{callback}`: it does not hear of events that it asked for")
        });
        state.current.root = 0;
    }

    /// A period of the root context's timer has passed.
    pub(crate) fn on_tick(&mut self, root: u64) -> Result<(), Trap> {
        call!(self, root, "timer-handler.on-tick", timer.call_on_tick())
    }

    /// An item was put in a queue that the root context has registered.
    pub(crate) fn on_queue_ready(&mut self, root: u64, queue: u32) -> Result<(), Trap> {
        call!(
            self,
            root,
            "shared-queue-handler.on-ready",
            shared_queue.call_on_ready(queue)
        )
    }

    /// An HTTP callout was answered or has failed.
    pub(crate) fn on_http_callout_response(
        &mut self,
        root: u64,
        id: u64,
        outcome: Result<(), &ErrorCode>,
    ) -> Result<(), Trap> {
        call!(
            self,
            root,
            "http-callout-handler.on-response",
            http_callout.call_on_response(id, outcome)
        )
    }

    /// The initial metadata of a gRPC stream is there.
    pub(crate) fn on_grpc_initial_metadata(
        &mut self,
        root: u64,
        id: u64,
        metadata: Vec<(String, Vec<u8>)>,
    ) -> Result<(), Trap> {
        call!(
            self,
            root,
            "grpc-callout-handler.on-initial-metadata",
            grpc_callout.call_on_initial_metadata(id, &metadata)
        )
    }

    /// A message of a gRPC callout is there.
    pub(crate) fn on_grpc_message(
        &mut self,
        root: u64,
        id: u64,
        message: &[u8],
    ) -> Result<(), Trap> {
        call!(
            self,
            root,
            "grpc-callout-handler.on-message",
            grpc_callout.call_on_message(id, message)
        )
    }

    /// The trailing metadata of a gRPC stream is there.
    pub(crate) fn on_grpc_trailing_metadata(
        &mut self,
        root: u64,
        id: u64,
        metadata: Vec<(String, Vec<u8>)>,
    ) -> Result<(), Trap> {
        call!(
            self,
            root,
            "grpc-callout-handler.on-trailing-metadata",
            grpc_callout.call_on_trailing_metadata(id, &metadata)
        )
    }

    /// A gRPC callout has ended.
    pub(crate) fn on_grpc_close(
        &mut self,
        root: u64,
        id: u64,
        status: u32,
        message: &str,
    ) -> Result<(), Trap> {
        call!(
            self,
            root,
            "grpc-callout-handler.on-close",
            grpc_callout.call_on_close(id, status, message)
        )
    }

    /// A foreign function calls back.
    pub(crate) fn on_foreign_call(
        &mut self,
        root: u64,
        function: u32,
        input: &[u8],
    ) -> Result<(), Trap> {
        call!(
            self,
            root,
            "foreign-function-handler.on-call",
            foreign_function.call_on_call(function, input)
        )
    }
}

//! A running VM: callbacks go in here.

mod root_callbacks;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::InstancePre;
use wasmtime::{Store, UpdateDeadline};

use self::root_callbacks::{HandlerIndices, Handlers};
use super::access::{DataAction, HeaderAction, Interest, StreamAccess, TrailersAction};
use super::bindings::exports::proxy_wasm::plugin::{http_filter, lifecycle};
use super::bindings::wasi::logging::logging::Level;
use super::deadline::{self, Deadline, thread_time};
use super::spec::VmSpec;
use super::state::{Current, PluginInfo, VmState};
use super::streams::StreamEntry;
use super::trap::{Trap, is_start};

/// What a plugin's component exports.
#[derive(Clone)]
pub(crate) struct PluginExports {
    lifecycle: lifecycle::GuestIndices,
    http_filter: http_filter::GuestIndices,
    handlers: HandlerIndices,
}

impl PluginExports {
    pub(crate) fn find(instance: &InstancePre<VmState>) -> wasmtime::Result<Self> {
        Ok(Self {
            lifecycle: lifecycle::GuestIndices::new(instance)?,
            http_filter: http_filter::GuestIndices::new(instance)?,
            handlers: HandlerIndices::find(instance)?,
        })
    }
}

/// What one VM may use.
#[derive(Clone, Copy, Debug)]
pub struct VmLimits {
    /// Bytes of linear memory, all memories together.
    pub memory: usize,
    /// How much processor time one callback may use.
    pub callback_time: Duration,
    /// How much processor time each of the callbacks may use that start a root context.
    pub start_time: Duration,
}

impl VmLimits {
    /// How much processor time the code that runs as this callback may use.
    fn time_of(&self, callback: &str) -> Duration {
        if is_start(callback) {
            self.start_time
        } else {
            self.callback_time
        }
    }
}

/// Why a root context could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The plugin refused to start.
    #[error("refused by the plugin: {reason}")]
    Refused {
        /// `start` or `configure`.
        phase: &'static str,
        /// The plugin's own text.
        reason: String,
    },
    /// The plugin trapped.
    #[error(transparent)]
    Trap(#[from] Trap),
}

/// A VM: an instance of a plugin's code with its own memory and its contexts. It belongs to one worker.
pub(crate) struct Vm {
    store: Store<VmState>,
    lifecycle: lifecycle::Guest,
    http_filter: http_filter::Guest,
    handlers: Handlers,
}

impl Vm {
    /// Makes a VM. Traps of code that runs here already, and the VM's memory, are put down to `first`, its first plugin.
    pub(crate) fn new(spec: &VmSpec, first: &PluginInfo) -> Result<Self, Trap> {
        let code = &spec.code;
        let state = VmState::new(spec, first);
        let mut store = Store::new(code.engine.engine(), state);
        store.limiter(|state| &mut state.limiter);
        let limits = spec.limits;
        store.epoch_deadline_callback(move |mut store| {
            let state = store.data_mut();
            let limit = limits.time_of(state.current.callback);
            let left = state.deadline.look(limit, thread_time());
            Ok(left.map_or(UpdateDeadline::Interrupt, UpdateDeadline::Continue))
        });
        store.set_epoch_deadline(deadline::FIRST_LOOK);
        let trap = |error| Trap::new(&first.name, "instantiation", None, error);
        let instance = match code.instance.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => {
                let trap = trap(error);
                let refused = store.data().limiter.memory_was_refused();
                return Err(if refused { trap.without_memory() } else { trap });
            }
        };
        let lifecycle = code
            .exports
            .lifecycle
            .load(&mut store, &instance)
            .map_err(trap)?;
        let http_filter = code
            .exports
            .http_filter
            .load(&mut store, &instance)
            .map_err(trap)?;
        let handlers = code
            .exports
            .handlers
            .load(&mut store, &instance)
            .map_err(trap)?;
        Ok(Self {
            store,
            lifecycle,
            http_filter,
            handlers,
        })
    }

    /// Starts and configures a root context; returns its number and what the plugin wants to see.
    pub(crate) fn start_root(
        &mut self,
        info: Arc<PluginInfo>,
        vm_configuration: &[u8],
        configuration: &[u8],
    ) -> Result<(u64, Interest), StartError> {
        let wit_info = lifecycle::PluginInfo {
            name: info.name.clone(),
            root_id: info.root_id.clone(),
            vm_id: info.vm_id.clone(),
            // A plugin that cannot be told "nothing" is told the most severe level.
            log_level: self.store.data().log_level.unwrap_or(Level::Critical),
        };
        let root = self.store.data_mut().add_root(info);
        self.enter("start", root, None, |vm| {
            vm.lifecycle
                .call_start(&mut vm.store, root, &wit_info, vm_configuration)
        })?
        .map_err(|reason| StartError::Refused {
            phase: "start",
            reason,
        })?;
        let interest = self
            .enter("configure", root, None, |vm| {
                vm.lifecycle
                    .call_configure(&mut vm.store, root, configuration)
            })?
            .map_err(|reason| StartError::Refused {
                phase: "configure",
                reason,
            })?;
        Ok((root, interest))
    }

    /// Ends a root context: done, and delete if the plugin agrees. Else it lives on until `root-control.done`.
    pub(crate) fn end_root(&mut self, root: u64) -> Result<(), Trap> {
        let done = self.enter("on-done", root, None, |vm| {
            vm.lifecycle.call_on_done(&mut vm.store, root)
        })?;
        if done {
            self.delete_root(root)?;
        } else if let Some(root) = self.store.data_mut().root_mut(root) {
            root.pending_done = true;
        }
        Ok(())
    }

    /// Calls a root context back for the last time and forgets it.
    pub(crate) fn delete_root(&mut self, root: u64) -> Result<(), Trap> {
        if self.store.data().root(root).is_none() {
            return Ok(());
        }
        self.enter("on-delete", root, None, |vm| {
            vm.lifecycle.call_on_delete(&mut vm.store, root)
        })?;
        self.store.data_mut().delete_root(root);
        Ok(())
    }

    /// What its hostcalls act on.
    pub(crate) fn state(&self) -> &VmState {
        self.store.data()
    }

    /// What its hostcalls act on.
    pub(crate) fn state_mut(&mut self) -> &mut VmState {
        self.store.data_mut()
    }

    /// Makes a stream known to the VM; nothing if it has too many already.
    pub(crate) fn add_stream(
        &mut self,
        access: Rc<dyn StreamAccess>,
        filter: usize,
    ) -> Option<u64> {
        self.store
            .data_mut()
            .streams
            .get_mut()
            .insert(StreamEntry::new(access, filter))
    }

    /// Forgets a stream.
    pub(crate) fn remove_stream(&mut self, stream: u64) {
        self.store.data_mut().streams.get_mut().remove(stream);
    }

    /// Forgets all streams and returns them: for a VM that has failed.
    pub(crate) fn drain_streams(&mut self) -> Vec<StreamEntry> {
        self.store.data_mut().streams.get_mut().drain()
    }

    /// Streams that hostcalls have touched since the last call.
    #[inline]
    pub(crate) fn take_touched(&mut self) -> Vec<Rc<dyn StreamAccess>> {
        self.store.data_mut().take_touched()
    }

    pub(crate) fn on_request_headers(
        &mut self,
        at: At,
        count: u32,
        end: bool,
    ) -> Result<HeaderAction, Trap> {
        self.enter("on-request-headers", at.root, Some(at.stream), |vm| {
            vm.http_filter
                .call_on_request_headers(&mut vm.store, at.root, at.stream, count, end)
        })
    }

    pub(crate) fn on_request_body(
        &mut self,
        at: At,
        size: u32,
        end: bool,
    ) -> Result<DataAction, Trap> {
        self.enter("on-request-body", at.root, Some(at.stream), |vm| {
            vm.http_filter
                .call_on_request_body(&mut vm.store, at.root, at.stream, size, end)
        })
    }

    pub(crate) fn on_request_trailers(
        &mut self,
        at: At,
        count: u32,
    ) -> Result<TrailersAction, Trap> {
        self.enter("on-request-trailers", at.root, Some(at.stream), |vm| {
            vm.http_filter
                .call_on_request_trailers(&mut vm.store, at.root, at.stream, count)
        })
    }

    pub(crate) fn on_response_headers(
        &mut self,
        at: At,
        count: u32,
        end: bool,
    ) -> Result<HeaderAction, Trap> {
        self.enter("on-response-headers", at.root, Some(at.stream), |vm| {
            vm.http_filter
                .call_on_response_headers(&mut vm.store, at.root, at.stream, count, end)
        })
    }

    pub(crate) fn on_response_body(
        &mut self,
        at: At,
        size: u32,
        end: bool,
    ) -> Result<DataAction, Trap> {
        self.enter("on-response-body", at.root, Some(at.stream), |vm| {
            vm.http_filter
                .call_on_response_body(&mut vm.store, at.root, at.stream, size, end)
        })
    }

    pub(crate) fn on_response_trailers(
        &mut self,
        at: At,
        count: u32,
    ) -> Result<TrailersAction, Trap> {
        self.enter("on-response-trailers", at.root, Some(at.stream), |vm| {
            vm.http_filter
                .call_on_response_trailers(&mut vm.store, at.root, at.stream, count)
        })
    }

    pub(crate) fn on_stream_end(&mut self, at: At) -> Result<(), Trap> {
        self.enter("on-stream-end", at.root, Some(at.stream), |vm| {
            vm.http_filter
                .call_on_stream_end(&mut vm.store, at.root, at.stream)
        })
    }

    /// Runs a callback: sets its deadline, says for whom hostcalls act, and turns an error into a report.
    #[inline]
    fn enter<R>(
        &mut self,
        callback: &'static str,
        root: u64,
        stream: Option<u64>,
        call: impl FnOnce(&mut Self) -> wasmtime::Result<R>,
    ) -> Result<R, Trap> {
        self.store.set_epoch_deadline(deadline::FIRST_LOOK);
        let state = self.store.data_mut();
        state.deadline = Deadline::default();
        state.current = Current {
            root,
            stream,
            callback,
        };
        let result = call(self);
        let state = self.store.data_mut();
        if state.wasi.has_output() {
            state.flush_output();
        }
        match result {
            Ok(value) => {
                state.current = Current::default();
                Ok(value)
            }
            Err(error) => Err(self.report(error)),
        }
    }

    #[cold]
    fn report(&mut self, error: wasmtime::Error) -> Trap {
        let state = self.store.data_mut();
        let name = state
            .current_plugin()
            .map_or_else(String::new, |info| info.name.clone());
        let request_id = state
            .current
            .stream
            .and_then(|stream| state.stream(stream))
            .map(|entry| entry.access.request_id());
        let trap = Trap::new(&name, state.current.callback, request_id, error)
            .after(state.recent_hostcalls.take());
        if let Some(plugin) = state.current_plugin() {
            plugin.counters.trapped(trap.cause());
        }
        let trap = if state.limiter.memory_was_refused() {
            trap.without_memory()
        } else {
            trap
        };
        state.current = Current::default();
        trap
    }
}

impl fmt::Debug for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vm")
            .field("state", self.store.data())
            .finish_non_exhaustive()
    }
}

/// The contexts of a stream callback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) root: u64,
    pub(crate) stream: u64,
}

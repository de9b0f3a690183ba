//! What a VM's hostcalls act on: the data of its store.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use fragile::Fragile;
use tokio::sync::Notify;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

use super::access::StreamAccess;
use super::bindings::wasi::logging::logging::Level;
use super::callouts::Callouts;
use super::deadline::Deadline;
use super::hostcalls::RecentHostcalls;
use super::limits::VmLimiter;
use super::log::{self, Admission, LogBudget, PluginOutput};
use super::metrics::MetricHandles;
use super::roots::Root;
use super::said::Said;
use super::shared::VmHandle;
use super::spec::VmSpec;
use super::streams::{StreamEntry, StreamTable};
use crate::config::AllowCallouts;
use crate::metrics::{PluginCounters, VmMeter};
use crate::services::Services;

/// Who a root context is, from the configuration.
#[derive(Clone, Debug, Default)]
pub struct PluginInfo {
    /// The plugin's name, as in logs and metrics.
    pub name: String,
    /// The configured `root_id`.
    pub root_id: String,
    /// The configured `vm_id`.
    pub vm_id: String,
    /// Where its callouts may go.
    pub allow_callouts: AllowCallouts,
    /// What is counted of the plugin, over all workers.
    pub counters: Arc<PluginCounters>,
}

/// Where the VM is: which callback runs, for whom.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Current {
    /// 0 while no callback runs.
    pub(crate) root: u64,
    pub(crate) stream: Option<u64>,
    /// The callback's name in the contract.
    pub(crate) callback: &'static str,
}

/// The data of a VM's store.
///
/// wasmtime-wasi asks for data that could be sent to another thread. A VM never leaves its worker; what is bound to
/// the worker's thread is wrapped in [`Fragile`], which checks it.
pub(crate) struct VmState {
    pub(crate) streams: Fragile<StreamTable>,
    /// A root context's number is its place here plus one.
    pub(super) roots: Vec<Root>,
    /// Told whenever a root context was deleted, or all are lost.
    pub(super) root_ended: Arc<Notify>,
    /// The way back to this VM. Nobody's until the VM is shared.
    pub(super) handle: Fragile<VmHandle>,
    pub(crate) current: Current,
    /// When the running callback has used up its time.
    pub(super) deadline: Deadline,
    /// Streams other than the callback's own that its hostcalls touched, each once.
    touched: Vec<u64>,
    /// Messages below this level are dropped before they are looked at.
    pub(crate) log_level: Option<Level>,
    log_budget: LogBudget,
    /// Empty unless hostcalls are traced.
    pub(crate) recent_hostcalls: RecentHostcalls,
    pub(crate) limiter: VmLimiter,
    pub(crate) wasi: Wasi,
    /// The scope of shared data and queues.
    pub(crate) vm_id: String,
    pub(crate) services: Services,
    pub(crate) metrics: MetricHandles,
    pub(super) callouts: Fragile<Callouts>,
    /// Handles of queues that the plugin holds.
    pub(crate) open_queues: usize,
    /// What was reported about the plugin, and is not again.
    reported: Said,
}

/// What the standard WASI hostcalls act on.
pub(crate) struct Wasi {
    pub(crate) ctx: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) stdout: PluginOutput,
    pub(crate) stderr: PluginOutput,
}

impl VmState {
    pub(super) fn new(spec: &VmSpec, first: &PluginInfo) -> Self {
        Self {
            streams: Fragile::new(StreamTable::default()),
            roots: Vec::new(),
            root_ended: Arc::default(),
            handle: Fragile::new(VmHandle::default()),
            current: Current::default(),
            deadline: Deadline::default(),
            touched: Vec::new(),
            log_level: spec.log_level,
            log_budget: LogBudget::new(Instant::now()),
            recent_hostcalls: RecentHostcalls::default(),
            limiter: VmLimiter::new(
                spec.limits.memory,
                VmMeter::new(Arc::clone(&first.counters)),
            ),
            wasi: Wasi::new(&spec.environment),
            vm_id: spec.vm_id.clone(),
            services: spec.services.clone(),
            metrics: MetricHandles::new(Arc::clone(&spec.services.state.metrics)),
            callouts: Fragile::new(Callouts::new(spec.callouts.clone())),
            open_queues: 0,
            reported: Said::default(),
        }
    }

    /// The plugin on whose behalf the VM runs now.
    pub(crate) fn current_plugin(&self) -> Option<&Arc<PluginInfo>> {
        self.root(self.current.root).map(|root| &root.info)
    }

    /// A live stream, for reading or editing it at once.
    #[inline]
    pub(crate) fn stream(&self, context: u64) -> Option<&StreamEntry> {
        self.streams.get().get(context)
    }

    /// Whether any stream lives.
    pub(super) fn has_streams(&self) -> bool {
        !self.streams.get().is_empty()
    }

    /// A live stream, for steering it: what is queued there is done once the running callback has returned.
    pub(crate) fn steer(&mut self, context: u64) -> Option<(Rc<dyn StreamAccess>, usize)> {
        let entry = self.streams.get().get(context)?;
        if self.current.stream != Some(context) && !entry.touched.replace(true) {
            self.touched.push(context);
        }
        Some((Rc::clone(&entry.access), entry.filter))
    }

    /// Streams that hostcalls have touched since the last call.
    #[inline]
    pub(super) fn take_touched(&mut self) -> Vec<Rc<dyn StreamAccess>> {
        // After nearly every callback.
        if self.touched.is_empty() {
            return Vec::new();
        }
        let streams = self.streams.get();
        let untouch = |context| {
            let entry = streams.get(context)?;
            entry.touched.set(false);
            Some(Rc::clone(&entry.access))
        };
        self.touched.drain(..).filter_map(untouch).collect()
    }

    /// Logs a plugin's message, with who it is and on whose behalf, unless it logs too much.
    pub(crate) fn log(&self, level: Level, message: &str) {
        if !self.keeps(level) {
            return;
        }
        let kept = message.len().min(log::MAX_LINE);
        match self.log_budget.admit(kept, Instant::now()) {
            Admission::Keep => {}
            Admission::KeepAfter(dropped) => {
                self.emit(Level::Warn, &format!("{dropped} messages were dropped"));
            }
            Admission::DropFirst => {
                let text = "messages are dropped: the plugin logs more than its share";
                return self.emit(Level::Warn, text);
            }
            Admission::Drop => return,
        }
        self.emit(level, message);
    }

    fn emit(&self, level: Level, message: &str) {
        let request_id = self
            .current
            .stream
            .and_then(|context| self.stream(context))
            .map(|entry| entry.access.request_id());
        let plugin = self.current_plugin().map_or("", |info| info.name.as_str());
        log::emit(level, plugin, self.current, request_id.as_deref(), message);
    }

    /// Whether messages of this level are kept.
    #[inline]
    pub(crate) fn keeps(&self, level: Level) -> bool {
        self.log_level
            .is_some_and(|lowest| level as u8 >= lowest as u8)
    }

    /// Warns, once for each `what`, of something that a plugin might do with each request.
    #[cold]
    pub(crate) fn report_once(&mut self, what: &str, message: impl FnOnce() -> String) {
        if self.reported.is_new(what) {
            self.log(Level::Warn, &message());
        }
    }

    /// Logs what the plugin has printed.
    pub(crate) fn flush_output(&mut self) {
        for (level, output) in [
            (Level::Info, &self.wasi.stdout),
            (Level::Error, &self.wasi.stderr),
        ] {
            for line in output.take_lines() {
                self.log(level, &line);
            }
        }
    }
}

impl fmt::Debug for VmState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmState")
            .field("roots", &self.roots)
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

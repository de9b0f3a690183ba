//! The place of a VM in a worker: runs it, and builds it again after a failure.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::config::{Recovery, Restarts};
use crate::vm::{PluginInfo, SharedVm, StartError, Vm, VmSpec};

/// A root context to start in a VM.
#[derive(Debug)]
pub(crate) struct RootSpec {
    pub(crate) info: Arc<PluginInfo>,
    pub(crate) configuration: bytes::Bytes,
}

/// A VM of this worker, for all plugins that share it (equal `vm_id`, VM configuration and code).
#[derive(Debug)]
pub(crate) struct VmSlot {
    spec: VmSpec,
    roots: Vec<RootSpec>,
    /// The first plugin in the VM: what the VM does is logged and counted as its.
    first: Arc<PluginInfo>,
    recovery: Recovery,
    restarts: Restarts,
    running: RefCell<Option<Rc<SharedVm>>>,
    started_at: Cell<Instant>,
    failures: Cell<u32>,
    /// Told when the VM fails.
    failure: Rc<Notify>,
    /// Nothing while no VM will be built again.
    retry_at: Cell<Option<Instant>>,
}

impl VmSlot {
    /// Starts a VM and its root contexts. From then on it is built again after failures, also without a request that
    /// needs it: its plugins may have timers and queues.
    ///
    /// # Errors
    ///
    /// One of the plugins, which is named, refuses its configuration or traps.
    ///
    /// # Panics
    ///
    /// Outside of a `LocalSet`.
    pub(crate) fn start(
        spec: VmSpec,
        roots: Vec<RootSpec>,
        recovery: Recovery,
        restarts: Restarts,
    ) -> Result<Rc<Self>, (String, StartError)> {
        let first = roots
            .first()
            .map(|root| Arc::clone(&root.info))
            .unwrap_or_default();
        let slot = Rc::new(Self {
            spec,
            roots,
            first,
            recovery,
            restarts,
            running: RefCell::new(None),
            started_at: Cell::new(Instant::now()),
            failures: Cell::new(0),
            failure: Rc::new(Notify::new()),
            retry_at: Cell::new(None),
        });
        let vm = slot.build()?;
        *slot.running.borrow_mut() = Some(vm);
        tokio::task::spawn_local(supervise(Rc::downgrade(&slot), Rc::clone(&slot.failure)));
        Ok(slot)
    }

    /// The name of the first plugin in the VM, for logs.
    fn name(&self) -> &str {
        &self.first.name
    }

    fn build(&self) -> Result<Rc<SharedVm>, (String, StartError)> {
        self.started_at.set(Instant::now());
        let vm = Vm::new(&self.spec, &self.first)
            .map_err(|trap| (self.name().to_owned(), trap.into()))?;
        let shared = SharedVm::new(vm, Rc::clone(&self.failure));
        let mut roots = Vec::with_capacity(self.roots.len());
        for root in &self.roots {
            let started = shared
                .vm
                .borrow_mut()
                .start_root(
                    Arc::clone(&root.info),
                    &self.spec.configuration,
                    &root.configuration,
                )
                .map_err(|error| (root.info.name.clone(), error))?;
            roots.push(started);
        }
        shared.started(roots);
        Ok(shared)
    }

    /// The running VM; nothing while there is no healthy one.
    #[inline]
    pub(crate) fn vm(&self) -> Option<Rc<SharedVm>> {
        if let Some(vm) = &*self.running.borrow()
            && !vm.failed.get()
        {
            return Some(Rc::clone(vm));
        }
        self.recover()
    }

    /// When the VM may be built again; nothing if it runs, or never will again. Notes a failure that is new.
    fn retry_at(&self) -> Option<Instant> {
        let mut running = self.running.borrow_mut();
        if running.as_ref().is_some_and(|vm| !vm.failed.get()) {
            return None;
        }
        if running.take().is_some() {
            self.note_failure();
        }
        self.retry_at.get()
    }

    /// Builds the VM again if its time has come.
    #[cold]
    fn recover(&self) -> Option<Rc<SharedVm>> {
        if self.retry_at().is_none_or(|at| Instant::now() < at) {
            return None;
        }
        match self.build() {
            Ok(vm) => {
                // Counted first: who reads of it in the log finds it in the metrics.
                self.first.counters.restarted();
                tracing::info!(plugin = self.name(), "plugin VM restarted");
                *self.running.borrow_mut() = Some(Rc::clone(&vm));
                Some(vm)
            }
            Err((plugin, error)) => {
                self.first.counters.start_failed();
                tracing::error!(plugin, %error, "plugin VM could not be restarted");
                self.note_failure();
                None
            }
        }
    }

    fn note_failure(&self) {
        let lasted = self.started_at.get().elapsed();
        let failures = if lasted >= self.restarts.healthy_after {
            1
        } else {
            self.failures.get().saturating_add(1)
        };
        self.failures.set(failures);
        let wait = match self.recovery {
            Recovery::Never => None,
            Recovery::Restart => {
                let wait = self.restarts.wait_after(failures);
                if wait.is_none() {
                    self.first.counters.crash_looped();
                    tracing::error!(
                        plugin = self.name(),
                        failures,
                        "plugin VM crashes in a loop and is given up"
                    );
                }
                wait
            }
        };
        self.retry_at.set(wait.map(|wait| Instant::now() + wait));
    }

    /// Ends the root contexts: the worker stops. Returns the VM if some of them ask for time to finish.
    pub(crate) async fn stop(&self, deadline: Instant) -> Option<Rc<SharedVm>> {
        let vm = self.running.borrow_mut().take()?;
        // Nothing is built again from here on.
        self.retry_at.set(None);
        if !vm.failed.get() {
            vm.wait_for_streams(deadline).await;
            vm.end_roots();
        }
        (!vm.has_ended()).then_some(vm)
    }
}

/// Builds a VM again whenever it fails and its time has come.
async fn supervise(slot: Weak<VmSlot>, failure: Rc<Notify>) {
    loop {
        failure.notified().await;
        loop {
            let retry_at = match slot.upgrade() {
                Some(slot) => slot.retry_at(),
                None => return,
            };
            let Some(at) = retry_at else { break };
            sleep_until(at).await;
            // A stream may have had it built meanwhile, with or without success.
            if slot.upgrade().is_some_and(|slot| slot.vm().is_some()) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;

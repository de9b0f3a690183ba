//! A VM as its worker shares it: streams enter it, and so do events that no stream brings.
//!
//! Ticks, notices of queues and answers to callouts come from tasks on the worker's loop. They go in through
//! [`VmHandle::deliver`], which does around them what an exchange does around its callbacks.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::access::Interest;
use super::instance::Vm;
use super::trap::Trap;

/// Between two looks for streams that still end. Their connections are closed already, so it is a matter of turns of the
/// worker's loop.
const STREAMS_END: Duration = Duration::from_millis(1);

/// A VM that its worker's streams and events share, with its root contexts.
#[derive(Debug)]
pub(crate) struct SharedVm {
    pub(crate) vm: RefCell<Vm>,
    /// For each plugin of this VM, in the order of the configuration: its root context and its interest. Set once all
    /// have started.
    roots: OnceCell<Vec<(u64, Interest)>>,
    /// It has trapped: nothing may enter it again.
    pub(crate) failed: Cell<bool>,
    /// Told when it fails, so that another one is built.
    failure: Rc<Notify>,
}

impl SharedVm {
    /// Shares a VM before its root contexts are started: the hostcalls that they make then need its handle already.
    pub(crate) fn new(vm: Vm, failure: Rc<Notify>) -> Rc<Self> {
        let shared = Rc::new(Self {
            vm: RefCell::new(vm),
            roots: OnceCell::new(),
            failed: Cell::new(false),
            failure,
        });
        let handle = VmHandle(Rc::downgrade(&shared));
        shared.vm.borrow_mut().state_mut().set_handle(handle);
        shared
    }

    /// Notes the root contexts that were started, in the order of the configuration.
    pub(crate) fn started(&self, roots: Vec<(u64, Interest)>) {
        // They start once: whoever builds a VM does it, and calls this at the end.
        let _ = self.roots.set(roots);
    }

    /// The root context of a plugin and its interest, by the plugin's place in the VM.
    #[inline]
    pub(crate) fn root(&self, place: usize) -> Option<(u64, Interest)> {
        self.roots.get()?.get(place).copied()
    }

    /// Enters the VM from the worker's loop; gives the callback back if the VM is busy.
    fn enter<C>(&self, callback: C) -> Result<(), C>
    where
        C: FnOnce(&mut Vm) -> Result<(), Trap>,
    {
        if self.failed.get() {
            return Ok(());
        }
        let (outcome, touched) = {
            let Ok(mut vm) = self.vm.try_borrow_mut() else {
                return Err(callback);
            };
            (callback(&mut vm), vm.take_touched())
        };
        if let Err(trap) = outcome {
            self.fail(&trap);
        }
        for stream in touched {
            stream.settle();
        }
        Ok(())
    }

    /// Waits for the streams in this VM to end.
    pub(crate) async fn wait_for_streams(&self, deadline: Instant) {
        while self.vm.borrow().state().has_streams() && Instant::now() < deadline {
            sleep(STREAMS_END).await;
        }
    }

    /// Ends all root contexts. Some may ask for time to finish.
    pub(crate) fn end_roots(&self) {
        for &(root, _) in self.roots.get().into_iter().flatten() {
            // Called from the worker's loop, so the VM is free.
            let _ = self.enter(|vm| vm.end_root(root));
        }
    }

    /// Whether no root context lives any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.failed.get() || !self.vm.borrow().state().has_roots()
    }

    /// Waits for the root contexts that asked for time to finish. Nothing enters the VM afterwards.
    pub(crate) async fn wait_for_end(&self, deadline: Instant) {
        let ended = Arc::clone(&self.vm.borrow().state().root_ended);
        while !self.has_ended() {
            if timeout_at(deadline, ended.notified()).await.is_err() {
                let late = self.vm.borrow().state().root_names();
                tracing::warn!(
                    plugins = late,
                    "plugins did not finish in time after `on-done`; the proxy stops without them"
                );
                break;
            }
        }
        self.failed.set(true);
        self.vm.borrow_mut().state_mut().end_tasks();
    }

    /// The VM has trapped: it is not entered again, what its root contexts wait for is given up, and its streams learn
    /// of it.
    #[cold]
    pub(crate) fn fail(&self, trap: &Trap) {
        tracing::error!(target: crate::PLUGIN_LOG_TARGET, "{trap}");
        self.failed.set(true);
        let streams = {
            let mut vm = self.vm.borrow_mut();
            vm.state_mut().end_tasks();
            vm.drain_streams()
        };
        for stream in &streams {
            stream.access.plugin_failed(stream.filter);
        }
        for stream in streams {
            stream.access.settle();
        }
        self.failure.notify_one();
    }
}

/// A way to a VM for whoever must not keep it alive: hostcalls get it from their state, and the tasks that they start
/// keep it.
#[derive(Clone, Default)]
pub(crate) struct VmHandle(Weak<SharedVm>);

impl VmHandle {
    /// Calls a plugin back from the worker's loop, and does what follows: a trap fails the VM, and streams that the
    /// callback steered move on.
    ///
    /// Nothing happens if the VM is gone or has failed. While one of its callbacks runs, which must be the one that
    /// asks for this, the call waits until that has returned.
    ///
    /// # Panics
    ///
    /// In the last case, outside of a `LocalSet`.
    pub(crate) fn deliver<C>(&self, callback: C)
    where
        C: FnOnce(&mut Vm) -> Result<(), Trap> + 'static,
    {
        let Some(shared) = self.0.upgrade() else {
            return;
        };
        if let Err(callback) = shared.enter(callback) {
            let handle = self.clone();
            // No callback runs when a task does: they are synchronous.
            tokio::task::spawn_local(async move { handle.deliver(callback) });
        }
    }
}

impl fmt::Debug for VmHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmHandle")
            .field("alive", &(self.0.strong_count() > 0))
            .finish()
    }
}

#[cfg(test)]
mod tests;

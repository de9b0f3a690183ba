//! The root contexts of a VM, and what they wait for.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use fragile::Fragile;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::shared::VmHandle;
use super::state::{PluginInfo, VmState};
use crate::foreign::{ForeignCaller, ForeignCalls};
use crate::state::shared_queue::QueueListener;

/// A root context of this VM.
pub(crate) struct Root {
    pub(crate) info: Arc<PluginInfo>,
    /// `on-done` returned false, and `root-control.done` has not been called yet.
    pub(crate) pending_done: bool,
    /// Properties that the plugin has declared, and whether they are read-only once they are set.
    pub(super) declared_properties: BTreeMap<String, bool>,
    /// It was deleted: its number means nothing any more.
    deleted: bool,
    tasks: Fragile<Tasks>,
}

/// What was started on behalf of a root context. Given up when this is dropped.
#[derive(Default)]
struct Tasks {
    all: JoinSet<()>,
    tick: Option<watch::Sender<TickPeriod>>,
    queues: Option<Listening>,
    foreign_caller: Option<ForeignCaller>,
}

/// How often a root context is ticked; none for never.
pub(crate) type TickPeriod = Option<Duration>;

/// Hears of queues for as long as it lives.
struct Listening(Arc<QueueListener>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Root {
    pub(crate) fn new(info: Arc<PluginInfo>) -> Self {
        Self {
            info,
            pending_done: false,
            declared_properties: BTreeMap::new(),
            deleted: false,
            tasks: Fragile::new(Tasks::default()),
        }
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        let tasks = &mut self.tasks.get_mut().all;
        // Those that have ended are only remembered until the next one comes.
        while tasks.try_join_next().is_some() {}
        tasks.spawn_local(task)
    }

    /// Sets how often the root context is ticked, from now on. With the first period begins what `tick` makes: ticking
    /// it, whenever the period that it hears of has passed.
    pub(crate) fn set_tick<F>(
        &mut self,
        period: TickPeriod,
        tick: impl FnOnce(watch::Receiver<TickPeriod>) -> F,
    ) where
        F: Future<Output = ()> + 'static,
    {
        if let Some(ticking) = &self.tasks.get().tick {
            ticking.send_replace(period);
        } else if period.is_some() {
            let (sender, receiver) = watch::channel(period);
            self.spawn(tick(receiver));
            self.tasks.get_mut().tick = Some(sender);
        }
    }

    /// The listener for all queues that the root context registers. With the first one begins what `announce` makes:
    /// telling the root context what the listener hears.
    pub(crate) fn queue_listener<F>(
        &mut self,
        announce: impl FnOnce(Arc<QueueListener>) -> F,
    ) -> Arc<QueueListener>
    where
        F: Future<Output = ()> + 'static,
    {
        if let Some(Listening(listener)) = &self.tasks.get().queues {
            return Arc::clone(listener);
        }
        let listener = Arc::<QueueListener>::default();
        self.spawn(announce(Arc::clone(&listener)));
        self.tasks.get_mut().queues = Some(Listening(Arc::clone(&listener)));
        listener
    }

    /// What foreign functions call the root context back with. With the first one begins what `call_back` makes:
    /// calling it.
    pub(crate) fn foreign_caller<F>(
        &mut self,
        call_back: impl FnOnce(ForeignCalls) -> F,
    ) -> ForeignCaller
    where
        F: Future<Output = ()> + 'static,
    {
        if let Some(caller) = &self.tasks.get().foreign_caller {
            return caller.clone();
        }
        let (caller, calls) = ForeignCaller::new(&self.info.name);
        self.spawn(call_back(calls));
        self.tasks.get_mut().foreign_caller = Some(caller.clone());
        caller
    }

    fn end_tasks(&mut self) {
        *self.tasks.get_mut() = Tasks::default();
    }
}

impl VmState {
    /// A live root context.
    pub(crate) fn root(&self, root: u64) -> Option<&Root> {
        self.roots
            .get(usize::try_from(root.checked_sub(1)?).ok()?)
            .filter(|root| !root.deleted)
    }

    /// A live root context.
    pub(crate) fn root_mut(&mut self, root: u64) -> Option<&mut Root> {
        self.roots
            .get_mut(usize::try_from(root.checked_sub(1)?).ok()?)
            .filter(|root| !root.deleted)
    }

    /// Adds a root context and returns its number.
    pub(crate) fn add_root(&mut self, info: Arc<PluginInfo>) -> u64 {
        self.roots.push(Root::new(info));
        self.roots.len() as u64
    }

    /// Forgets a root context, and gives up what it waits for.
    pub(crate) fn delete_root(&mut self, ended: u64) {
        if let Some(root) = self.root_mut(ended) {
            root.end_tasks();
            root.deleted = true;
        }
        self.callouts.get_mut().forget_root(ended);
        self.root_ended.notify_one();
    }

    /// The names of the plugins whose root contexts live, for logs.
    pub(super) fn root_names(&self) -> String {
        let live = self.roots.iter().filter(|root| !root.deleted);
        let names: Vec<_> = live.map(|root| root.info.name.as_str()).collect();
        names.join(", ")
    }

    /// Whether a root context lives that was started.
    pub(super) fn has_roots(&self) -> bool {
        self.roots.iter().any(|root| !root.deleted)
    }

    /// The way back to this VM for events.
    pub(crate) fn handle(&self) -> VmHandle {
        self.handle.get().clone()
    }

    pub(super) fn set_handle(&mut self, handle: VmHandle) {
        *self.handle.get_mut() = handle;
    }

    /// Starts a task on behalf of a root context, on the worker's loop. It is aborted when the root context is deleted
    /// and when the VM fails or ends, so whatever it delivers through [`handle`](Self::handle) finds its root context
    /// alive.
    ///
    /// Nothing is started, and nothing returned, for a root context that does not live.
    pub(crate) fn spawn(
        &mut self,
        root: u64,
        task: impl Future<Output = ()> + 'static,
    ) -> Option<AbortHandle> {
        Some(self.root_mut(root)?.spawn(task))
    }

    /// Gives up what all root contexts wait for: the VM has failed.
    pub(super) fn end_tasks(&mut self) {
        for root in &mut self.roots {
            root.end_tasks();
        }
        self.callouts.get_mut().forget_all();
        self.root_ended.notify_one();
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("info", &self.info)
            .field("pending_done", &self.pending_done)
            .field("deleted", &self.deleted)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However often it sets its period within one callback.
    #[test]
    fn one_task_ticks_a_root_context() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let mut root = Root::new(Arc::default());
            for milliseconds in (0..100).chain([100, 200]) {
                let period = (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
                root.set_tick(period, |_period| std::future::pending());
            }
            let tasks = root.tasks.get();
            assert_eq!(tasks.all.len(), 1);
            let last = *tasks.tick.as_ref().unwrap().borrow();
            assert_eq!(last, Some(Duration::from_millis(200)));
        });
    }
}

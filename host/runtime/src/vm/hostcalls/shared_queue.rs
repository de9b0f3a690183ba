//! `shared-queue`: the queues of the proxy, and notices of their items on this worker's loop.

use std::num::NonZeroU32;
use std::sync::Arc;

use wasmtime::component::Resource;

use crate::state::shared_queue::{EnqueueError, MAX_QUEUES, QueueListener, QueueToken};
use crate::vm::bindings::proxy_wasm::plugin::shared_queue::{self, Queue, QueueError};
use crate::vm::shared::VmHandle;
use crate::vm::state::VmState;

/// Handles of one VM. More than a `vm_id` has queues, so that each can be held; a plugin that opens a queue for each
/// request and never drops it is told so.
const MAX_HANDLES: usize = 2 * MAX_QUEUES;

impl shared_queue::Host for VmState {}

// A handle's number is its queue's token: the engine keeps numbers from plugins, so each was given here.

impl shared_queue::HostQueue for VmState {
    fn register(&mut self, root: u64, name: String) -> Result<Resource<Queue>, QueueError> {
        let vm = self.handle();
        let listener = self
            .root_mut(root)
            .ok_or(QueueError::UnknownContext)?
            .queue_listener(|listener| announce(vm, root, listener));
        let queues = Arc::clone(&self.services.state.shared_queues);
        match queues.register(&self.vm_id, &name, &listener) {
            Ok(queue) => self.open(queue),
            Err(error) => {
                self.report_once("shared-queue.register", || {
                    format!("a queue was not registered: {error}")
                });
                Err(QueueError::LimitReached)
            }
        }
    }

    fn resolve(&mut self, vm_id: String, name: String) -> Result<Resource<Queue>, QueueError> {
        let vm_id = if vm_id.is_empty() {
            &*self.vm_id
        } else {
            &vm_id
        };
        let queue = self
            .services
            .state
            .shared_queues
            .resolve(vm_id, &name)
            .ok_or(QueueError::NotFound)?;
        self.open(queue)
    }

    fn token(&mut self, queue: Resource<Queue>) -> u32 {
        queue.rep()
    }

    fn enqueue(&mut self, queue: Resource<Queue>, item: Vec<u8>) -> Result<(), QueueError> {
        let queue = token(&queue)?;
        let queues = Arc::clone(&self.services.state.shared_queues);
        queues.enqueue(queue, &item).map_err(|error| match error {
            EnqueueError::Unknown(_) => QueueError::NotFound,
            EnqueueError::ItemTooLong | EnqueueError::QueueFull | EnqueueError::ScopeFull => {
                self.report_once("shared-queue.enqueue", || {
                    format!("an item was not put in queue {queue}: {error}")
                });
                QueueError::LimitReached
            }
        })
    }

    fn dequeue(&mut self, queue: Resource<Queue>) -> Result<Option<Vec<u8>>, QueueError> {
        self.services
            .state
            .shared_queues
            .dequeue(token(&queue)?)
            .map_err(|_| QueueError::NotFound)
    }

    fn drop(&mut self, _queue: Resource<Queue>) -> wasmtime::Result<()> {
        self.open_queues -= 1;
        Ok(())
    }
}

fn token(queue: &Resource<Queue>) -> Result<QueueToken, QueueError> {
    NonZeroU32::new(queue.rep())
        .map(QueueToken)
        .ok_or(QueueError::NotFound)
}

impl VmState {
    fn open(&mut self, queue: QueueToken) -> Result<Resource<Queue>, QueueError> {
        if self.open_queues >= MAX_HANDLES {
            self.report_once("shared-queue handles", || {
                format!("a queue was not opened: the plugin holds {MAX_HANDLES} already")
            });
            return Err(QueueError::LimitReached);
        }
        self.open_queues += 1;
        Ok(Resource::new_own(queue.0.get()))
    }
}

/// Tells a root context of each item, until it is aborted.
async fn announce(vm: VmHandle, root: u64, listener: Arc<QueueListener>) {
    loop {
        let queue = listener.next().await;
        vm.deliver(move |vm| vm.on_queue_ready(root, queue.0.get()));
        // Requests get their turn between two notices; and here it ends if the callback has ended the root context.
        tokio::task::yield_now().await;
    }
}

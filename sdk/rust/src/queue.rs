//! First-in-first-out queues between VMs, on all workers.

use crate::bindings::proxy_wasm::plugin::shared_queue::{self, QueueError};
use crate::error::Refused;
use crate::root::Root;

/// Names a queue in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueToken(pub(crate) u32);

/// A queue of items.
#[derive(Debug)]
pub struct Queue(shared_queue::Queue);

impl Root {
    /// Opens the queue `name` of the plugin's own `vm_id`, making it if needed. The root context that registered last
    /// is the one whose [`Plugin::on_queue_ready`](crate::Plugin::on_queue_ready) is called.
    ///
    /// # Errors
    ///
    /// The host's limit on queues is reached, or it keeps none.
    pub fn register_queue(&self, name: &str) -> Result<Queue, Refused<QueueError>> {
        shared_queue::Queue::register(self.id, name)
            .map(Queue)
            .map_err(|reason| refused(name, reason))
    }
}

impl Queue {
    /// Finds the queue `name` of another `vm_id`, or with an empty `vm_id` of the plugin's own.
    ///
    /// # Errors
    ///
    /// No queue has this name, or the host keeps none.
    pub fn resolve(vm_id: &str, name: &str) -> Result<Self, Refused<QueueError>> {
        shared_queue::Queue::resolve(vm_id, name)
            .map(Self)
            .map_err(|reason| refused(name, reason))
    }

    /// Returns the queue's token, which [`Plugin::on_queue_ready`](crate::Plugin::on_queue_ready) carries.
    pub fn token(&self) -> QueueToken {
        QueueToken(self.0.token())
    }

    /// Puts an item at the end.
    ///
    /// # Errors
    ///
    /// The item or the queue exceeds the host's limit.
    pub fn enqueue(&self, item: impl AsRef<[u8]>) -> Result<(), Refused<QueueError>> {
        self.0
            .enqueue(item.as_ref())
            .map_err(|reason| self.refused(reason))
    }

    /// Takes the item at the front; none if the queue is empty.
    ///
    /// # Errors
    ///
    /// The queue is no more.
    pub fn dequeue(&self) -> Result<Option<Vec<u8>>, Refused<QueueError>> {
        self.0.dequeue().map_err(|reason| self.refused(reason))
    }

    #[cold]
    fn refused(&self, reason: QueueError) -> Refused<QueueError> {
        Refused::new(format_args!("queue {}", self.0.token()), reason)
    }
}

#[cold]
fn refused(name: &str, reason: QueueError) -> Refused<QueueError> {
    Refused::new(format_args!("queue `{name}`"), reason)
}

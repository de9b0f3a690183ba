//! Shared queues (ABI 4.11): first in, first out, between the VMs of all workers.
//!
//! A queue belongs to a `vm_id` and has a name there; whoever finds it by both may put items in and take them out.
//! Queues and their items outlive VMs. The root context that registered a queue last hears of its items, one notice for
//! each, through its [`QueueListener`].

mod listener;
mod memory;

#[cfg(test)]
pub(crate) mod contract;

use std::fmt::{self, Debug, Display};
use std::num::NonZeroU32;
use std::sync::Arc;

pub use self::listener::QueueListener;
pub use self::memory::MemorySharedQueues;

/// Queues of one `vm_id`. Names of queues are part of a plugin's design, not of its traffic.
pub const MAX_QUEUES: usize = 1024;

/// Bytes of a queue's name.
pub const MAX_NAME_BYTES: usize = 1024;

/// Items of one queue: a minute of one request's item each, at a thousand requests a second.
pub const MAX_ITEMS: usize = 64 * 1024;

/// Bytes of one item: a buffered body of the default size.
pub const MAX_ITEM_BYTES: usize = 1024 * 1024;

/// Bytes of all items of one `vm_id`, [`ITEM_BYTES`] for each included. A consumer that stopped must not fill the
/// machine.
pub const MAX_SCOPE_BYTES: usize = 64 * 1024 * 1024;

/// Bytes that an item counts beside its own: about what a queue needs for it.
pub const ITEM_BYTES: usize = 48;

/// Names a queue in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueToken(pub NonZeroU32);

impl Display for QueueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

/// Why a queue was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The name is longer than [`MAX_NAME_BYTES`].
    #[error("the name of a queue has at most {MAX_NAME_BYTES} bytes")]
    NameTooLong,
    /// There are [`MAX_QUEUES`] of this `vm_id`.
    #[error("there are {MAX_QUEUES} queues of this `vm_id` already")]
    TooManyQueues,
}

/// Why an item was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnqueueError {
    /// There is no such queue.
    #[error(transparent)]
    Unknown(#[from] UnknownQueue),
    /// The item is longer than [`MAX_ITEM_BYTES`].
    #[error("the item has more than {MAX_ITEM_BYTES} bytes")]
    ItemTooLong,
    /// The queue has [`MAX_ITEMS`].
    #[error("there are {MAX_ITEMS} items in the queue already")]
    QueueFull,
    /// The items of this `vm_id` would take more than [`MAX_SCOPE_BYTES`].
    #[error("the items of this `vm_id` would take more than {MAX_SCOPE_BYTES} bytes")]
    ScopeFull,
}

/// No queue has this token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no queue has the token {0}")]
pub struct UnknownQueue(pub QueueToken);

/// The shared queues of a proxy.
pub trait SharedQueueStore: Debug + Send + Sync {
    /// Makes a queue, or finds it with its items. From now on `listener` is the one that hears of it. Notices that the
    /// listener before has not taken are handed to it if that one was [closed](QueueListener::close).
    ///
    /// # Errors
    ///
    /// See [`RegisterError`]. A queue that exists is always found.
    fn register(
        &self,
        vm_id: &str,
        name: &str,
        listener: &Arc<QueueListener>,
    ) -> Result<QueueToken, RegisterError>;

    /// Finds a queue.
    fn resolve(&self, vm_id: &str, name: &str) -> Option<QueueToken>;

    /// Puts an item at the end, and has the queue's listener told.
    ///
    /// # Errors
    ///
    /// See [`EnqueueError`].
    fn enqueue(&self, queue: QueueToken, item: &[u8]) -> Result<(), EnqueueError>;

    /// Takes the item at the front; nothing if the queue is empty.
    ///
    /// # Errors
    ///
    /// See [`UnknownQueue`].
    fn dequeue(&self, queue: QueueToken) -> Result<Option<Vec<u8>>, UnknownQueue>;
}

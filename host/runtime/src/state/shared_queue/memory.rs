//! Shared queues in this process's memory.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    EnqueueError, ITEM_BYTES, MAX_ITEM_BYTES, MAX_ITEMS, MAX_NAME_BYTES, MAX_QUEUES,
    MAX_SCOPE_BYTES, QueueListener, QueueToken, RegisterError, SharedQueueStore, UnknownQueue,
};

/// The default: shared by the workers of this process, gone with it.
#[derive(Default)]
pub struct MemorySharedQueues(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// By `vm_id`. There are as many as the configuration has.
    scopes: HashMap<Arc<str>, Scope>,
    /// A queue's token is its place here plus one.
    queues: Vec<Queue>,
}

#[derive(Default)]
struct Scope {
    names: HashMap<Box<str>, QueueToken>,
    /// Bytes of the items of all these queues.
    bytes: usize,
}

struct Queue {
    vm_id: Arc<str>,
    items: VecDeque<Box<[u8]>>,
    listener: Arc<QueueListener>,
}

impl SharedQueueStore for MemorySharedQueues {
    fn register(
        &self,
        vm_id: &str,
        name: &str,
        listener: &Arc<QueueListener>,
    ) -> Result<QueueToken, RegisterError> {
        let mut inner = self.inner();
        let Some(token) = inner.find(vm_id, name) else {
            return inner.make(vm_id, name, listener);
        };
        if let Some(queue) = inner.queue(token) {
            let before = std::mem::replace(&mut queue.listener, Arc::clone(listener));
            // Under our lock, which is safe: the locks of listeners are only ever taken last.
            listener.take_over(token, &before);
        }
        Ok(token)
    }

    fn resolve(&self, vm_id: &str, name: &str) -> Option<QueueToken> {
        self.inner().find(vm_id, name)
    }

    fn enqueue(&self, token: QueueToken, item: &[u8]) -> Result<(), EnqueueError> {
        let mut inner = self.inner();
        let Inner { scopes, queues } = &mut *inner;
        let queue = find(queues, token).ok_or(UnknownQueue(token))?;
        if item.len() > MAX_ITEM_BYTES {
            return Err(EnqueueError::ItemTooLong);
        }
        if queue.items.len() >= MAX_ITEMS {
            return Err(EnqueueError::QueueFull);
        }
        if let Some(scope) = scopes.get_mut(&queue.vm_id) {
            let bytes = scope.bytes + item.len() + ITEM_BYTES;
            if bytes > MAX_SCOPE_BYTES {
                return Err(EnqueueError::ScopeFull);
            }
            scope.bytes = bytes;
        }
        queue.items.push_back(item.into());
        queue.listener.notify(token);
        Ok(())
    }

    fn dequeue(&self, token: QueueToken) -> Result<Option<Vec<u8>>, UnknownQueue> {
        let mut inner = self.inner();
        let Inner { scopes, queues } = &mut *inner;
        let queue = find(queues, token).ok_or(UnknownQueue(token))?;
        let Some(item) = queue.items.pop_front() else {
            return Ok(None);
        };
        if let Some(scope) = scopes.get_mut(&queue.vm_id) {
            scope.bytes -= item.len() + ITEM_BYTES;
        }
        Ok(Some(item.into()))
    }
}

impl MemorySharedQueues {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn find(&self, vm_id: &str, name: &str) -> Option<QueueToken> {
        self.scopes.get(vm_id)?.names.get(name).copied()
    }

    fn queue(&mut self, token: QueueToken) -> Option<&mut Queue> {
        find(&mut self.queues, token)
    }

    fn make(
        &mut self,
        vm_id: &str,
        name: &str,
        listener: &Arc<QueueListener>,
    ) -> Result<QueueToken, RegisterError> {
        if name.len() > MAX_NAME_BYTES {
            return Err(RegisterError::NameTooLong);
        }
        let vm_id: Arc<str> = match self.scopes.get_key_value(vm_id) {
            Some((vm_id, scope)) if scope.names.len() < MAX_QUEUES => Arc::clone(vm_id),
            Some(_) => return Err(RegisterError::TooManyQueues),
            None => vm_id.into(),
        };
        let token = u32::try_from(self.queues.len() + 1)
            .ok()
            .and_then(NonZeroU32::new)
            .map(QueueToken)
            .ok_or(RegisterError::TooManyQueues)?;
        self.queues.push(Queue {
            vm_id: Arc::clone(&vm_id),
            items: VecDeque::new(),
            listener: Arc::clone(listener),
        });
        let scope = self.scopes.entry(vm_id).or_default();
        scope.names.insert(name.into(), token);
        Ok(token)
    }
}

fn find(queues: &mut [Queue], token: QueueToken) -> Option<&mut Queue> {
    queues.get_mut(usize::try_from(token.0.get() - 1).ok()?)
}

impl fmt::Debug for MemorySharedQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySharedQueues").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::shared_queue::contract;

    #[test]
    fn does_what_every_store_does() {
        contract::check(Arc::<MemorySharedQueues>::default);
    }
}

//! Shared queues (ABI reference 4.11).

use std::cell::RefCell;

use proxy_wasi_abi::Status;

use super::Answer;
use crate::active;
use crate::bindings::proxy_wasm::plugin::shared_queue::{Queue, QueueError};
use crate::id_map::IdMap;
use crate::log;
use crate::memory::{self, Input, Output};

thread_local! {
    /// The queues that this VM has opened, by token. A token that it has from elsewhere is unknown.
    static QUEUES: RefCell<IdMap<Queue>> = const { RefCell::new(IdMap::new()) };
}

/// `proxy_register_shared_queue`
pub(crate) fn register(name: Input, token: u32) -> Answer {
    let root = active::effective().root();
    let queue = memory::with_inputs([name], |[name]| {
        Queue::register(root.ok_or(QueueError::UnknownContext)?, &log::text(name))
    })?;
    opened(queue, "proxy_register_shared_queue", token)
}

/// `proxy_resolve_shared_queue`
pub(crate) fn resolve(vm_id: Input, name: Input, token: u32) -> Answer {
    let queue = memory::with_inputs([vm_id, name], |[vm_id, name]| {
        Queue::resolve(&log::text(vm_id), &log::text(name))
    })?;
    opened(queue, "proxy_resolve_shared_queue", token)
}

fn opened(queue: Result<Queue, QueueError>, hostcall: &'static str, result: u32) -> Answer {
    let queue = queue.map_err(|error| refusal(error, hostcall))?;
    let token = queue.token();
    // Opened twice, the older handle goes back to the host.
    QUEUES.with_borrow_mut(|queues| queues.insert(token.into(), queue));
    memory::store_u32(result, token)
}

/// `proxy_dequeue_shared_queue`
pub(crate) fn dequeue(token: u32, item: Output) -> Answer {
    let taken = QUEUES
        .with_borrow(|queues| queues.get(token.into()).map(Queue::dequeue))
        .ok_or(Status::NotFound)?;
    let bytes = taken
        .map_err(|error| refusal(error, "proxy_dequeue_shared_queue"))?
        .ok_or(Status::Empty)?;
    item.give(&bytes)
}

/// `proxy_enqueue_shared_queue`
pub(crate) fn enqueue(token: u32, item: Input) -> Answer {
    let result = memory::with_inputs([item], |[item]| {
        QUEUES.with_borrow(|queues| queues.get(token.into()).map(|queue| queue.enqueue(item)))
    })?;
    result
        .ok_or(Status::NotFound)?
        .map_err(|error| refusal(error, "proxy_enqueue_shared_queue"))
}

fn refusal(error: QueueError, hostcall: &'static str) -> Status {
    match error {
        QueueError::UnknownContext | QueueError::LimitReached => Status::InternalFailure,
        QueueError::NotFound => Status::NotFound,
        QueueError::Unsupported => {
            log::unimplemented(hostcall);
            Status::Unimplemented
        }
    }
}

//! What VMs share: data and queues (ABI reference 4.10, 4.11).

use std::cell::RefCell;
use std::collections::HashMap;

use conformance_script::Answer;

use super::{Answered, named, text};
use crate::bindings::proxy_wasm::plugin::shared_data;
use crate::bindings::proxy_wasm::plugin::shared_queue::Queue;
use crate::machine::{Context, Value};

use Value::{Bytes, Number};

thread_local! {
    static QUEUES: RefCell<HashMap<u32, Queue>> = RefCell::default();
}

/// Calls one of these functions.
pub(super) fn call(context: Context, function: &str, args: &[Value]) -> Option<Answered> {
    let ok = Answer::status(0);
    let answer = match (function, args) {
        ("get_shared_data", [Bytes(key)]) => {
            let (value, cas) = named!(shared_data::get(key));
            return Some((ok.bytes(&value).number(cas), Some(cas.into())));
        }
        ("set_shared_data", [Bytes(key), Bytes(value), Number(cas)]) => {
            named!(shared_data::set(key, value, *cas as u32));
            ok
        }
        ("register_shared_queue", [Bytes(name)]) => {
            let queue = named!(Queue::register(context.root, &text(name)));
            return opened(queue);
        }
        ("resolve_shared_queue", [Bytes(vm_id), Bytes(name)]) => {
            let queue = named!(Queue::resolve(&text(vm_id), &text(name)));
            return opened(queue);
        }
        ("enqueue_shared_queue", [Number(token), Bytes(item)]) => {
            let queued = QUEUES.with_borrow(|queues| {
                let token = u32::try_from(*token).ok()?;
                Some(queues.get(&token)?.enqueue(item))
            });
            let Some(queued) = queued else {
                return Some((Answer::status("not-opened"), None));
            };
            named!(queued);
            ok
        }
        ("dequeue_shared_queue", [Number(token)]) => {
            let item = QUEUES.with_borrow(|queues| {
                let token = u32::try_from(*token).ok()?;
                Some(queues.get(&token)?.dequeue())
            });
            let Some(item) = item else {
                return Some((Answer::status("not-opened"), None));
            };
            match named!(item) {
                Some(item) => ok.bytes(&item),
                None => Answer::status("none"),
            }
        }
        _ => return None,
    };
    Some((answer, None))
}

fn opened(queue: Queue) -> Option<Answered> {
    let token = queue.token();
    QUEUES.with_borrow_mut(|queues| queues.insert(token, queue));
    Some((Answer::status(0).number(token), Some(token.into())))
}

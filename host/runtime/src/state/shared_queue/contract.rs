//! What every [`SharedQueueStore`] does.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use super::*;

/// Checks all rules, each with a store that `new` makes.
pub(crate) fn check<S: SharedQueueStore + 'static>(new: impl Fn() -> Arc<S>) {
    items_come_out_in_the_order_they_went_in(&*new());
    a_name_is_one_queue_of_its_vm_id(&*new());
    unknown_queues_are_told(&*new());
    who_registered_last_hears_of_each_item(&*new());
    notices_outlive_their_listener(&*new());
    items_are_bounded(&*new());
    the_bytes_of_a_vm_id_are_bounded(&*new());
    queues_and_names_are_bounded(&*new());
    threads_share_queues(&new());
}

fn register(store: &dyn SharedQueueStore, name: &str) -> QueueToken {
    store.register("vm", name, &Arc::default()).unwrap()
}

/// The notices that a listener has now.
fn notices(listener: &QueueListener) -> Vec<QueueToken> {
    std::iter::from_fn(|| {
        match pin!(listener.next()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(queue) => Some(queue),
            Poll::Pending => None,
        }
    })
    .collect()
}

fn items_come_out_in_the_order_they_went_in(store: &dyn SharedQueueStore) {
    let queue = register(store, "q");
    assert_eq!(store.dequeue(queue), Ok(None));
    for item in [&b"one"[..], b"", b"three"] {
        store.enqueue(queue, item).unwrap();
    }
    assert_eq!(store.dequeue(queue), Ok(Some(b"one".to_vec())));
    store.enqueue(queue, b"four").unwrap();
    for item in [&b""[..], b"three", b"four"] {
        assert_eq!(store.dequeue(queue), Ok(Some(item.to_vec())));
    }
    assert_eq!(store.dequeue(queue), Ok(None));
}

fn a_name_is_one_queue_of_its_vm_id(store: &dyn SharedQueueStore) {
    assert_eq!(store.resolve("vm", "q"), None);
    let queue = register(store, "q");
    store.enqueue(queue, b"kept").unwrap();
    assert_eq!(register(store, "q"), queue);
    assert_eq!(store.resolve("vm", "q"), Some(queue));
    assert_eq!(store.dequeue(queue), Ok(Some(b"kept".to_vec())));

    let others = [
        register(store, "r"),
        register(store, ""),
        store.register("", "q", &Arc::default()).unwrap(),
    ];
    assert!(!others.contains(&queue));
    assert_eq!(store.resolve("", "q"), Some(others[2]));
    assert_eq!(store.resolve("other", "q"), None);
}

fn unknown_queues_are_told(store: &dyn SharedQueueStore) {
    let queue = register(store, "q");
    let unknown = QueueToken(queue.0.checked_add(1).unwrap());
    assert_eq!(
        store.enqueue(unknown, b""),
        Err(UnknownQueue(unknown).into())
    );
    assert_eq!(store.dequeue(unknown), Err(UnknownQueue(unknown)));
}

fn who_registered_last_hears_of_each_item(store: &dyn SharedQueueStore) {
    let [first, second] = [(); 2].map(|()| Arc::new(QueueListener::default()));
    let queue = store.register("vm", "q", &first).unwrap();
    let other = store.register("vm", "r", &first).unwrap();
    assert_eq!(notices(&first), []);
    store.enqueue(queue, b"1").unwrap();
    store.enqueue(queue, b"2").unwrap();
    store.enqueue(other, b"3").unwrap();
    // One notice each, whoever takes the items when.
    store.dequeue(queue).unwrap();
    let mut heard = notices(&first);
    heard.sort();
    assert_eq!(heard, [queue, queue, other]);

    store.enqueue(queue, b"4").unwrap();
    store.register("vm", "q", &second).unwrap();
    store.enqueue(queue, b"5").unwrap();
    assert_eq!(notices(&second), [queue], "only what came since");
    assert_eq!(notices(&first), [queue], "what came before");
}

fn notices_outlive_their_listener(store: &dyn SharedQueueStore) {
    let [first, second] = [(); 2].map(|()| Arc::new(QueueListener::default()));
    let queue = store.register("vm", "q", &first).unwrap();
    store.enqueue(queue, b"before").unwrap();
    first.close();
    store.enqueue(queue, b"while nobody listens").unwrap();
    store.register("vm", "q", &second).unwrap();
    assert_eq!(notices(&second), [queue, queue]);
    assert_eq!(store.dequeue(queue), Ok(Some(b"before".to_vec())));
}

fn items_are_bounded(store: &dyn SharedQueueStore) {
    let queue = register(store, "q");
    let large = vec![0; MAX_ITEM_BYTES + 1];
    assert_eq!(store.enqueue(queue, &large), Err(EnqueueError::ItemTooLong));
    store.enqueue(queue, &large[1..]).unwrap();
    for _ in 1..MAX_ITEMS {
        store.enqueue(queue, b"").unwrap();
    }
    assert_eq!(store.enqueue(queue, b""), Err(EnqueueError::QueueFull));
    store.enqueue(register(store, "r"), b"").unwrap();
    assert_eq!(store.dequeue(queue).unwrap().unwrap().len(), MAX_ITEM_BYTES);
    store.enqueue(queue, b"").unwrap();
}

fn the_bytes_of_a_vm_id_are_bounded(store: &dyn SharedQueueStore) {
    let large = vec![0; MAX_ITEM_BYTES];
    let (queue, another) = (register(store, "q"), register(store, "r"));
    for _ in 0..MAX_SCOPE_BYTES / (MAX_ITEM_BYTES + ITEM_BYTES) {
        store.enqueue(queue, &large).unwrap();
    }
    assert_eq!(store.enqueue(another, &large), Err(EnqueueError::ScopeFull));
    let elsewhere = store.register("other", "q", &Arc::default()).unwrap();
    store.enqueue(elsewhere, &large).unwrap();
    store.dequeue(queue).unwrap();
    store.enqueue(another, &large).unwrap();
    assert_eq!(store.enqueue(queue, &large), Err(EnqueueError::ScopeFull));
}

fn queues_and_names_are_bounded(store: &dyn SharedQueueStore) {
    let name = "n".repeat(MAX_NAME_BYTES + 1);
    let listener = Arc::default();
    assert_eq!(
        store.register("vm", &name, &listener),
        Err(RegisterError::NameTooLong)
    );
    register(store, &name[1..]);
    for number in 1..MAX_QUEUES {
        register(store, &number.to_string());
    }
    assert_eq!(
        store.register("vm", "one more", &listener),
        Err(RegisterError::TooManyQueues)
    );
    assert_eq!(store.resolve("vm", "one more"), None);
    register(store, "1");
    store.register("other", "one more", &listener).unwrap();
}

fn threads_share_queues<S: SharedQueueStore + 'static>(store: &Arc<S>) {
    const THREADS: u8 = 4;
    const ITEMS: u8 = 200;
    let listener = Arc::new(QueueListener::default());
    let queue = store.register("vm", "q", &listener).unwrap();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let store = Arc::clone(store);
            thread::spawn(move || {
                for item in 0..ITEMS {
                    store.enqueue(queue, &[thread, item]).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(
        notices(&listener).len(),
        usize::from(THREADS) * usize::from(ITEMS)
    );
    // Each thread's items in its order, whatever came between.
    let mut next = [0; THREADS as usize];
    while let Some(item) = store.dequeue(queue).unwrap() {
        let expected = &mut next[usize::from(item[0])];
        assert_eq!(item[1], *expected);
        *expected += 1;
    }
    assert_eq!(next, [ITEMS; THREADS as usize]);
}

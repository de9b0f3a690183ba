//! The notices for one root context, on their way from any worker to its own.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{MAX_ITEMS, QueueToken};

/// Hears of items in the queues that a root context has registered.
///
/// Stores tell it from any thread; one task, on the root context's worker, asks it.
#[derive(Debug, Default)]
pub struct QueueListener {
    pending: Mutex<Pending>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    /// Notices that were not taken. Counted, not kept, so that they need no room.
    notices: BTreeMap<QueueToken, usize>,
    /// The queue of the last notice that was taken: each queue gets its turn.
    last: Option<QueueToken>,
    closed: bool,
}

impl QueueListener {
    /// An item was put in a queue. A store calls this after it has the item.
    pub fn notify(&self, queue: QueueToken) {
        self.add(queue, 1);
    }

    fn add(&self, queue: QueueToken, notices: usize) {
        if notices == 0 {
            return;
        }
        let mut pending = self.pending();
        let count = pending.notices.entry(queue).or_default();
        // Notices beyond what a queue can hold are for items that were taken already.
        *count = count.saturating_add(notices).min(MAX_ITEMS);
        drop(pending);
        self.arrived.notify_one();
    }

    /// Waits for a notice and takes it. One task at a time may wait; a wait that is given up takes nothing.
    pub async fn next(&self) -> QueueToken {
        loop {
            if let Some(queue) = self.pending().take() {
                return queue;
            }
            self.arrived.notified().await;
        }
    }

    /// Nobody takes notices any more: the root context, or its VM, has ended. They are kept for whoever registers the
    /// queue next.
    pub fn close(&self) {
        self.pending().closed = true;
    }

    /// Takes over the notices of a listener that was closed. For stores, when a queue is registered again.
    pub fn take_over(&self, queue: QueueToken, from: &Self) {
        let notices = {
            let mut from = from.pending();
            if from.closed {
                from.notices.remove(&queue).unwrap_or(0)
            } else {
                0
            }
        };
        self.add(queue, notices);
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn take(&mut self) -> Option<QueueToken> {
        let after = match self.last {
            Some(last) => Bound::Excluded(last),
            None => Bound::Unbounded,
        };
        let (&queue, _) = self
            .notices
            .range((after, Bound::Unbounded))
            .next()
            .or_else(|| self.notices.first_key_value())?;
        self.last = Some(queue);
        if let Some(count) = self.notices.get_mut(&queue) {
            *count -= 1;
            if *count == 0 {
                self.notices.remove(&queue);
            }
        }
        Some(queue)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn token(number: u32) -> QueueToken {
        QueueToken(NonZeroU32::new(number).unwrap())
    }

    fn taken(listener: &QueueListener) -> Vec<u32> {
        std::iter::from_fn(|| listener.pending().take())
            .map(|queue| queue.0.get())
            .collect()
    }

    #[test]
    fn queues_take_turns() {
        let listener = QueueListener::default();
        for queue in [2, 2, 2, 1, 3, 3] {
            listener.notify(token(queue));
        }
        assert_eq!(taken(&listener), [1, 2, 3, 2, 3, 2]);
    }

    #[test]
    fn notices_are_bounded_by_what_a_queue_holds() {
        let listener = QueueListener::default();
        for _ in 0..MAX_ITEMS + 7 {
            listener.notify(token(1));
        }
        assert_eq!(taken(&listener).len(), MAX_ITEMS);
    }

    #[test]
    fn only_what_a_closed_listener_leaves_is_taken_over() {
        let (old, new) = (QueueListener::default(), QueueListener::default());
        old.notify(token(1));
        old.notify(token(2));
        new.take_over(token(1), &old);
        assert_eq!(taken(&new), [0_u32; 0]);
        old.close();
        new.take_over(token(1), &old);
        new.take_over(token(1), &old);
        assert_eq!(taken(&new), [1]);
        assert_eq!(taken(&old), [2]);
    }

    #[tokio::test]
    async fn a_notice_wakes_who_waits_on_another_thread() {
        let listener = std::sync::Arc::new(QueueListener::default());
        let other = std::sync::Arc::clone(&listener);
        let thread = std::thread::spawn(move || other.notify(token(4)));
        assert_eq!(listener.next().await, token(4));
        thread.join().unwrap();
    }
}

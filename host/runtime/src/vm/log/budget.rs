//! How much a VM may log.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Bytes of messages a second that a VM may log on average. A plugin that writes 200 bytes for each of 20,000 requests
/// a second needs less than half; one that logs in a loop writes a hundred times as much, and fills the disk.
pub(super) const RATE: u64 = 10 * 1024 * 1024;

/// Bytes that may be logged at once: rule sets listed at the start, stack traces of a bad second.
pub(super) const BURST: u64 = 2 * RATE;

/// Bytes that every line costs beside its message: time, names, ids.
const LINE: u64 = 128;

/// A token bucket of bytes.
#[derive(Debug)]
pub(crate) struct LogBudget {
    left: Cell<u64>,
    refilled: Cell<Instant>,
    dropped: Cell<u64>,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Keep,
    /// It is kept, and so many before it were not.
    KeepAfter(u64),
    /// It is the first to be dropped.
    DropFirst,
    Drop,
}

impl LogBudget {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            left: Cell::new(BURST),
            refilled: Cell::new(now),
            dropped: Cell::new(0),
        }
    }

    /// Decides on a message of so many bytes.
    pub(crate) fn admit(&self, bytes: usize, now: Instant) -> Admission {
        let cost = (bytes as u64).saturating_add(LINE);
        if self.left.get() < cost || self.dropped.get() > 0 {
            self.refill(now);
        }
        let Some(left) = self.left.get().checked_sub(cost) else {
            let dropped = self.dropped.get();
            self.dropped.set(dropped.saturating_add(1));
            return if dropped == 0 {
                Admission::DropFirst
            } else {
                Admission::Drop
            };
        };
        // After a drop some room first, so that a flood leaves whole stretches of its messages and not single ones.
        let dropped = self.dropped.get();
        if dropped > 0 && left < RATE / 2 {
            self.dropped.set(dropped.saturating_add(1));
            return Admission::Drop;
        }
        self.left.set(left);
        self.dropped.set(0);
        match dropped {
            0 => Admission::Keep,
            dropped => Admission::KeepAfter(dropped),
        }
    }

    fn refill(&self, now: Instant) {
        let passed = now.saturating_duration_since(self.refilled.get());
        // A bucket that is full anyway: no need to count hours in bytes.
        let passed = passed.min(Duration::from_secs(BURST.div_ceil(RATE)));
        let bytes = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX) * RATE / 1_000_000;
        self.left.set((self.left.get() + bytes).min(BURST));
        self.refilled.set(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let start = Instant::now();
        let budget = LogBudget::new(start);
        let message = 1024 - 128;
        for _ in 0..BURST / 1024 {
            assert_eq!(budget.admit(message, start), Admission::Keep);
        }
        assert_eq!(budget.admit(message, start), Admission::DropFirst);
        assert_eq!(budget.admit(message, start), Admission::Drop);
        let soon = start + Duration::from_millis(100);
        assert_eq!(budget.admit(message, soon), Admission::Drop);
        let later = start + Duration::from_secs(1);
        assert_eq!(budget.admit(message, later), Admission::KeepAfter(3));
        assert_eq!(budget.admit(message, later), Admission::Keep);
    }

    #[test]
    fn an_even_flow_below_the_rate_is_never_cut() {
        let start = Instant::now();
        let budget = LogBudget::new(start);
        for step in 0..100_000_u32 {
            let now = start + Duration::from_micros(100) * step;
            assert_eq!(budget.admit(800, now), Admission::Keep, "message {step}");
        }
    }
}

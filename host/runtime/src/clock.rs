//! Time for the request path: cheap enough to be asked on every request.
//!
//! Almost no deadline of a proxy is ever reached. Both types here make the usual case, a deadline that is moved
//! before it passes, cost a store instead of a visit to the runtime's timer wheel.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, Sleep};

/// A reusable sleep whose deadline can be moved for the price of a store.
///
/// The runtime's timer stays where it was armed; when it fires before the deadline that holds now, it is armed again.
/// So a timer that is reused for every request of a connection is touched about once per timeout, not once per request.
#[derive(Debug)]
pub struct LazySleep {
    deadline: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl LazySleep {
    /// Creates a sleep that ends at `deadline`.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime with its timer enabled.
    #[must_use]
    pub fn new(deadline: Instant) -> Self {
        Self {
            deadline,
            sleep: Box::pin(tokio::time::sleep_until(deadline)),
        }
    }

    /// Moves the deadline, to an earlier or later time.
    pub fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if deadline < self.sleep.deadline() {
            self.sleep.as_mut().reset(deadline);
        }
    }

    /// Polls for the deadline, and for no earlier one that was set before.
    pub fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.deadline);
        }
    }
}

/// The time as of the worker's last look at the clock.
///
/// Connections stamp their activity with it on every read and write; whoever sweeps them advances it first.
#[derive(Debug)]
pub struct CoarseClock(Cell<Instant>);

impl CoarseClock {
    /// Creates a clock that shows the present.
    #[must_use]
    pub fn new() -> Self {
        Self(Cell::new(Instant::now()))
    }

    /// The time at the last [`advance`](Self::advance).
    pub fn now(&self) -> Instant {
        self.0.get()
    }

    /// Looks at the real clock.
    pub fn advance(&self) -> Instant {
        let now = Instant::now();
        self.0.set(now);
        now
    }
}

impl Default for CoarseClock {
    fn default() -> Self {
        Self::new()
    }
}

/// How often to look whether any of `limits` has passed: often enough to be at most a quarter late.
///
/// Never more often than every 10 ms, never less than once a second.
#[must_use]
pub fn sweep_interval(limits: &[Duration]) -> Duration {
    let shortest = limits.iter().min().copied().unwrap_or(Duration::MAX);
    (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
}

/// The time of day, for logs only: it can jump.
#[must_use]
pub fn wall_clock() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Waits for `sleep`; how long it took.
    async fn elapsed(sleep: &mut LazySleep, since: Instant) -> Duration {
        poll_fn(|cx| sleep.poll_elapsed(cx)).await;
        since.elapsed()
    }

    #[tokio::test]
    async fn a_sleep_ends_at_its_last_deadline() {
        let ms = Duration::from_millis;
        let start = Instant::now();
        let mut sleep = LazySleep::new(start + ms(5));
        sleep.set(start + ms(40));
        assert!(elapsed(&mut sleep, start).await >= ms(40));

        let start = Instant::now();
        sleep.set(start + ms(20));
        assert!(elapsed(&mut sleep, start).await >= ms(20));

        let start = Instant::now();
        sleep.set(start + Duration::from_secs(3600));
        sleep.set(start + ms(20));
        assert!(elapsed(&mut sleep, start).await < Duration::from_secs(60));
    }

    #[test]
    fn sweeps_as_often_as_the_shortest_limit_needs() {
        let table = [
            (vec![], 1000),
            (vec![75_000, 300_000], 1000),
            (vec![75_000, 400], 100),
            (vec![1], 10),
        ];
        for (limits, expected) in table {
            let limits: Vec<_> = limits.into_iter().map(Duration::from_millis).collect();
            assert_eq!(sweep_interval(&limits), Duration::from_millis(expected));
        }
    }
}

//! The deadline of callbacks: how much processor time one may use.
//!
//! The engine's epochs count time that passes. On a busy machine a worker may wait for its turn meanwhile, which is no
//! fault of the plugin, so at the end of an epoch the thread's own clock is asked. Callbacks end long before that; they
//! pay nothing.

use std::time::Duration;

use crate::plugin::EPOCH_PERIOD;

/// Epochs after which a callback is looked at for the first time. Any more would be time that is not counted.
pub(super) const FIRST_LOOK: u64 = 1;

/// What is known of the time that the running callback has used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deadline {
    /// The thread's clock at the first look, an epoch after the callback began at the latest. Nothing before.
    first_look: Option<Duration>,
}

impl Deadline {
    /// Looks at the running callback, which may use `limit`, with the thread's clock at `now`. Returns the epochs to the
    /// next look; nothing if its time is used up.
    pub(super) fn look(&mut self, limit: Duration, now: Duration) -> Option<u64> {
        let first_look = *self.first_look.get_or_insert(now);
        let left = limit.saturating_sub(now.saturating_sub(first_look));
        if left.is_zero() {
            return None;
        }
        // A thread cannot use more time than passes, so there is nothing to see before.
        let epochs = left.as_nanos().div_ceil(EPOCH_PERIOD.as_nanos());
        Some(u64::try_from(epochs).unwrap_or(u64::MAX / 2))
    }
}

/// The processor time that this thread has used.
#[cfg(unix)]
pub(super) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // It is never negative.
    Duration::try_from(time).unwrap_or_default()
}

/// The time that has passed: there is no better clock here.
#[cfg(not(unix))]
pub(super) fn thread_time() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests;

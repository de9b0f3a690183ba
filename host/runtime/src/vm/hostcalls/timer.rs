//! `timer`: ticks on the worker's loop.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::vm::bindings::proxy_wasm::plugin::timer::{self, TimerError};
use crate::vm::shared::VmHandle;
use crate::vm::state::VmState;

/// Nanoseconds: the resolution of the ABI and of the runtime's timers. It is also the shortest period.
const RESOLUTION: u64 = 1_000_000;

impl timer::Host for VmState {
    fn set_tick_period(&mut self, root: u64, period: Option<u64>) -> Result<(), TimerError> {
        let handle = self.handle();
        self.root_mut(root)
            .ok_or(TimerError::UnknownContext)?
            .set_tick(period.map(|period| tick(handle, root, rounded(period))));
        Ok(())
    }
}

fn rounded(period: u64) -> Duration {
    Duration::from_millis(period.div_ceil(RESOLUTION).max(1))
}

/// Ticks until it is aborted. A period that passes while the worker is busy, with this plugin or others, is skipped.
async fn tick(vm: VmHandle, root: u64, period: Duration) {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        vm.deliver(move |vm| vm.on_tick(root));
        // A callback that has changed the period, or ended the root context, has aborted this task: it ends here, also
        // when the next tick is overdue. And whoever else waits gets their turn.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_whole_milliseconds() {
        let table = [(0, 1), (1, 1), (RESOLUTION, 1), (RESOLUTION + 1, 2)];
        for (period, expected) in table {
            assert_eq!(rounded(period), Duration::from_millis(expected));
        }
        assert!(rounded(u64::MAX) > Duration::from_secs(1 << 33));
    }
}

//! `timer`: ticks on the worker's loop.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::vm::bindings::proxy_wasm::plugin::timer::{self, TimerError};
use crate::vm::roots::TickPeriod;
use crate::vm::shared::VmHandle;
use crate::vm::state::VmState;

/// Nanoseconds: the resolution of the ABI and of the runtime's timers. It is also the shortest period.
const RESOLUTION: u64 = 1_000_000;

impl timer::Host for VmState {
    fn set_tick_period(&mut self, root: u64, period: Option<u64>) -> Result<(), TimerError> {
        let handle = self.handle();
        self.root_mut(root)
            .ok_or(TimerError::UnknownContext)?
            .set_tick(period.map(rounded), |period| tick(handle, root, period));
        Ok(())
    }
}

fn rounded(period: u64) -> Duration {
    Duration::from_millis(period.div_ceil(RESOLUTION).max(1))
}

/// Ticks until it is aborted.
async fn tick(vm: VmHandle, root: u64, mut period: watch::Receiver<TickPeriod>) {
    loop {
        let current = *period.borrow_and_update();
        tokio::select! {
            // First: a callback that has changed the period is not called again because the old one has passed.
            biased;
            changed = period.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tick_each(&vm, root, current) => {}
        }
    }
}

/// Ticks for as long as it is polled. A period that passes while the worker is busy, with this plugin or others, is
/// skipped.
async fn tick_each(vm: &VmHandle, root: u64, period: TickPeriod) {
    let Some(period) = period else {
        return pending().await;
    };
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        vm.deliver(move |vm| vm.on_tick(root));
        // Whoever else waits gets their turn, and a callback that has set another period, or ended the root context, is
        // heard, also when the next tick is overdue.
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

//! CPU time of another process.

use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// The clock that counts the CPU time of all threads of a process, in user and kernel mode.
///
/// `/proc/PID/stat` has the same number in steps of 10 ms, too coarse for differences of tenths of a microsecond a
/// request. This clock counts nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct ProcessClock(ClockId);

impl ProcessClock {
    /// Returns the clock of the process `pid`.
    ///
    /// # Errors
    ///
    /// Fails if there is no such process.
    pub fn of(pid: i32) -> nix::Result<Self> {
        clock_getcpuclockid(Pid::from_raw(pid)).map(Self)
    }

    /// Returns the CPU time that the process has used since it began.
    ///
    /// # Errors
    ///
    /// Fails if the process has ended.
    pub fn now(self) -> nix::Result<Duration> {
        self.0.now().map(Duration::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_time_that_this_process_computes() -> nix::Result<()> {
        let clock = ProcessClock::of(Pid::this().as_raw())?;
        let before = clock.now()?;
        let mut sum = 0_u64;
        for number in 0..5_000_000_u64 {
            sum = std::hint::black_box(sum ^ number);
        }
        assert!(clock.now()? > before, "no time passed for {sum}");
        Ok(())
    }

    #[test]
    fn a_process_that_is_not_there_has_no_clock() {
        assert!(ProcessClock::of(i32::MAX).is_err());
    }
}

//! The host's clocks. They work on every wasm target, also where those of `std` do not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::bindings::wasi::clocks::{monotonic_clock, system_clock};

/// Returns the time of day.
pub fn now() -> SystemTime {
    let system_clock::Instant {
        seconds,
        nanoseconds,
    } = system_clock::now();
    // A clock set before 1970 is wrong anyway.
    UNIX_EPOCH + Duration::new(u64::try_from(seconds).unwrap_or(0), nanoseconds)
}

/// Returns the time since a moment that never changes, for measuring: it does not jump.
pub fn monotonic() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}

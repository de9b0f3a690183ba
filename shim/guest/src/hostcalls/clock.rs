//! The time (ABI reference 4.2 and 8.1).

use super::Answer;
use crate::bindings::wasi::clocks::{monotonic_clock, system_clock};
use crate::memory;

/// `proxy_get_current_time_nanoseconds`
pub(crate) fn get_current_time(result: u32) -> Answer {
    memory::store_u64(result, wall())
}

/// Nanoseconds since 1970-01-01T00:00:00Z; 0 before.
pub(crate) fn wall() -> u64 {
    let now = system_clock::now();
    let seconds = u64::try_from(now.seconds).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(now.nanoseconds.into())
}

/// Nanoseconds since some time.
pub(crate) fn monotonic() -> u64 {
    monotonic_clock::now()
}

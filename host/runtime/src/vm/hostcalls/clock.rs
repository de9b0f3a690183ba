//! `wasi:clocks`: what time it is.

use std::sync::LazyLock;
use std::time::{Instant as MonotonicInstant, SystemTime, UNIX_EPOCH};

use crate::vm::bindings::wasi::clocks::{monotonic_clock, system_clock};
use crate::vm::state::VmState;

/// Where the plugins' monotonic clock begins. A second before the first look at it, because Go's runtime takes a clock
/// that reads zero for a broken one.
static ORIGIN: LazyLock<MonotonicInstant> = LazyLock::new(|| {
    MonotonicInstant::now()
        .checked_sub(std::time::Duration::from_secs(1))
        .unwrap_or_else(MonotonicInstant::now)
});

impl monotonic_clock::Host for VmState {
    fn now(&mut self) -> monotonic_clock::Mark {
        u64::try_from(ORIGIN.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl system_clock::Host for VmState {
    fn now(&mut self) -> system_clock::Instant {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        system_clock::Instant {
            seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: since.subsec_nanos(),
        }
    }
}

//! `timer`: not built yet; every call says so.

use crate::vm::bindings::proxy_wasm::plugin::timer::{self, TimerError};
use crate::vm::state::VmState;

impl timer::Host for VmState {
    fn set_tick_period(&mut self, _root: u64, _period: Option<u64>) -> Result<(), TimerError> {
        self.report_unsupported("timer.set-tick-period");
        Err(TimerError::Unsupported)
    }
}

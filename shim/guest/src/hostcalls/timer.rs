//! Ticks (ABI reference 4.2).

use proxy_wasi_abi::Status;

use super::Answer;
use crate::active;
use crate::bindings::proxy_wasm::plugin::timer::{self, TimerError};
use crate::log;

/// `proxy_set_tick_period_milliseconds`
pub(crate) fn set_tick_period(milliseconds: u32) -> Answer {
    let Some(root) = active::effective().root() else {
        return Ok(());
    };
    let period = (milliseconds > 0).then_some(u64::from(milliseconds) * 1_000_000);
    match timer::set_tick_period(root, period) {
        Ok(()) | Err(TimerError::UnknownContext) => Ok(()),
        Err(TimerError::Unsupported) => {
            log::unimplemented("proxy_set_tick_period_milliseconds");
            Err(Status::Unimplemented)
        }
    }
}

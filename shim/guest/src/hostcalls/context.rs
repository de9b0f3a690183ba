//! Effective context and shutdown (ABI reference 4.3).

use proxy_wasi_abi::Status;

use super::Answer;
use crate::active;
use crate::bindings::proxy_wasm::plugin::root_control;

/// `proxy_set_effective_context`
pub(crate) fn set_effective(id: u32) -> Answer {
    active::set_effective(id)
}

/// `proxy_done`
pub(crate) fn done() -> Answer {
    let waiting = active::effective().root().is_some_and(root_control::done);
    if waiting {
        Ok(())
    } else {
        Err(Status::NotFound)
    }
}

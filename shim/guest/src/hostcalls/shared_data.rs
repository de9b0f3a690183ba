//! Shared data (ABI reference 4.10).

use proxy_wasi_abi::Status;

use super::Answer;
use crate::bindings::proxy_wasm::plugin::shared_data::{self, SharedDataError};
use crate::log;
use crate::memory::{self, Input, Output};

/// `proxy_get_shared_data`
pub(crate) fn get(key: Input, value: Output, cas: u32) -> Answer {
    let found = memory::with_inputs([key], |[key]| shared_data::get(key))?;
    let (bytes, version) = found.map_err(|error| refusal(error, "proxy_get_shared_data"))?;
    value.give(&bytes)?;
    memory::store_u32(cas, version)
}

/// `proxy_set_shared_data`
pub(crate) fn set(key: Input, value: Input, cas: u32) -> Answer {
    let result = memory::with_inputs([key, value], |[key, value]| {
        shared_data::set(key, value, cas)
    })?;
    result.map_err(|error| refusal(error, "proxy_set_shared_data"))
}

fn refusal(error: SharedDataError, hostcall: &'static str) -> Status {
    match error {
        SharedDataError::NotFound => Status::NotFound,
        SharedDataError::CasMismatch => Status::CasMismatch,
        SharedDataError::LimitReached => Status::InternalFailure,
        SharedDataError::Unsupported => {
            log::unimplemented(hostcall);
            Status::Unimplemented
        }
    }
}

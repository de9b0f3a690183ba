//! Foreign functions (ABI reference 4.12).

use proxy_wasi_abi::Status;

use super::Answer;
use crate::active;
use crate::bindings::proxy_wasm::plugin::foreign_function::{self, ForeignFunctionError};
use crate::log;
use crate::memory::{self, Input, Output};

/// `proxy_call_foreign_function`. Acts on the real context, whatever is effective, as in Envoy.
pub(crate) fn call(name: Input, arguments: Input, result: Output) -> Answer {
    let context = active::current();
    let outcome = memory::with_inputs([name, arguments], |[name, arguments]| {
        let Some(root) = context.root() else {
            return Err(ForeignFunctionError::NotFound);
        };
        foreign_function::call(root, context.stream(), &log::text(name), arguments)
    })?;
    let (bytes, status) = match outcome {
        Ok(bytes) => (bytes, Ok(())),
        Err(ForeignFunctionError::NotFound) => return Err(Status::NotFound),
        Err(ForeignFunctionError::Unsupported) => return Err(Status::Unimplemented),
        Err(ForeignFunctionError::InvalidInput) => (Vec::new(), Err(Status::BadArgument)),
        Err(ForeignFunctionError::NotSerializable) => {
            (Vec::new(), Err(Status::SerializationFailure))
        }
        Err(ForeignFunctionError::Failed) => (Vec::new(), Err(Status::InternalFailure)),
    };
    give(&bytes, result)?;
    status
}

/// Hands over the result. A null pointer for either half means that the caller does not want it.
fn give(bytes: &[u8], result: Output) -> Answer {
    let len = memory::length(bytes)?;
    if result.0 != 0 {
        let at = if len == 0 { 0 } else { memory::allocate(len)? };
        memory::write(at, bytes)?;
        memory::store_u32(result.0, at)?;
    }
    if result.1 != 0 {
        memory::store_u32(result.1, len)?;
    }
    Ok(())
}

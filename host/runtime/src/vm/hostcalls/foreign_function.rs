//! `foreign-function`: this host has none yet, so every name is unknown.

use crate::vm::bindings::proxy_wasm::plugin::foreign_function::{self, ForeignFunctionError};
use crate::vm::state::VmState;

impl foreign_function::Host for VmState {
    fn call(
        &mut self,
        _root: u64,
        _context: Option<u64>,
        _name: String,
        _input: Vec<u8>,
    ) -> Result<Vec<u8>, ForeignFunctionError> {
        Err(ForeignFunctionError::NotFound)
    }
}

//! `shared-data`: not built yet; every call says so.

use crate::vm::bindings::proxy_wasm::plugin::shared_data::{self, SharedDataError};
use crate::vm::state::VmState;

impl shared_data::Host for VmState {
    fn get(&mut self, _key: Vec<u8>) -> Result<(Vec<u8>, u32), SharedDataError> {
        self.report_unsupported("shared-data.get");
        Err(SharedDataError::Unsupported)
    }

    fn set(
        &mut self,
        _key: Vec<u8>,
        _value: Vec<u8>,
        _version: u32,
    ) -> Result<(), SharedDataError> {
        self.report_unsupported("shared-data.set");
        Err(SharedDataError::Unsupported)
    }
}

//! `shared-data`: the store of the proxy, in the scope of the VM's `vm_id`.

use std::num::NonZeroU32;

use crate::state::shared_data::{SetError, Version};
use crate::vm::bindings::proxy_wasm::plugin::shared_data::{self, SharedDataError};
use crate::vm::state::VmState;

impl shared_data::Host for VmState {
    fn get(&mut self, key: Vec<u8>) -> Result<(Vec<u8>, u32), SharedDataError> {
        self.services
            .state
            .shared_data
            .get(&self.vm_id, &key)
            .map(|(value, version)| (value, version.0.get()))
            .ok_or(SharedDataError::NotFound)
    }

    fn set(&mut self, key: Vec<u8>, value: Vec<u8>, version: u32) -> Result<(), SharedDataError> {
        let expected = NonZeroU32::new(version).map(Version);
        self.services
            .state
            .shared_data
            .set(&self.vm_id, &key, &value, expected)
            .map_err(|error| match error {
                SetError::Mismatch => SharedDataError::CasMismatch,
                SetError::KeyTooLong
                | SetError::ValueTooLong
                | SetError::TooManyKeys
                | SetError::ScopeFull => {
                    self.report_once("shared-data.set", || {
                        format!("a shared value was not stored: {error}")
                    });
                    SharedDataError::LimitReached
                }
            })
    }
}

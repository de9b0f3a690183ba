//! Shared data in this process's memory.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};

use super::{
    ENTRY_BYTES, MAX_KEY_BYTES, MAX_KEYS, MAX_SCOPE_BYTES, MAX_VALUE_BYTES, SetError,
    SharedDataStore, Version,
};

/// The default: shared by the workers of this process, gone with it.
#[derive(Default)]
pub struct MemorySharedData(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    /// By `vm_id`. There are as many as the configuration has.
    scopes: HashMap<Box<str>, Scope>,
    /// The newest version of any value.
    last_version: u32,
}

#[derive(Default)]
struct Scope {
    values: HashMap<Box<[u8]>, Value>,
    bytes: usize,
}

struct Value {
    bytes: Vec<u8>,
    version: Version,
}

impl SharedDataStore for MemorySharedData {
    fn get(&self, vm_id: &str, key: &[u8]) -> Option<(Vec<u8>, Version)> {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let value = inner.scopes.get(vm_id)?.values.get(key)?;
        Some((value.bytes.clone(), value.version))
    }

    fn set(
        &self,
        vm_id: &str,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<(), SetError> {
        if key.len() > MAX_KEY_BYTES {
            return Err(SetError::KeyTooLong);
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(SetError::ValueTooLong);
        }
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Versions begin again after four thousand million writes; 0 is left out.
        let version = inner.last_version.checked_add(1).unwrap_or(1);
        let scope = match inner.scopes.get_mut(vm_id) {
            Some(scope) => scope,
            None => inner.scopes.entry(vm_id.into()).or_default(),
        };
        scope.set(
            key,
            value,
            expected,
            Version(NonZeroU32::new(version).unwrap_or(NonZeroU32::MIN)),
        )?;
        inner.last_version = version;
        Ok(())
    }
}

impl Scope {
    fn set(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
        version: Version,
    ) -> Result<(), SetError> {
        match self.values.get_mut(key) {
            Some(stored) => {
                if expected.is_some_and(|expected| expected != stored.version) {
                    return Err(SetError::Mismatch);
                }
                let bytes = self.bytes - stored.bytes.len() + value.len();
                if bytes > MAX_SCOPE_BYTES && value.len() > stored.bytes.len() {
                    return Err(SetError::ScopeFull);
                }
                // Written anew, so that a value that shrinks gives back what it does not need.
                *stored = Value {
                    bytes: value.to_vec(),
                    version,
                };
                self.bytes = bytes;
            }
            None => {
                if self.values.len() >= MAX_KEYS {
                    return Err(SetError::TooManyKeys);
                }
                let bytes = self.bytes + key.len() + value.len() + ENTRY_BYTES;
                if bytes > MAX_SCOPE_BYTES {
                    return Err(SetError::ScopeFull);
                }
                let stored = Value {
                    bytes: value.to_vec(),
                    version,
                };
                self.values.insert(key.into(), stored);
                self.bytes = bytes;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for MemorySharedData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySharedData").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::state::shared_data::contract;

    #[test]
    fn does_what_every_store_does() {
        contract::check(Arc::<MemorySharedData>::default);
    }

    #[test]
    fn versions_leave_out_zero() {
        let store = MemorySharedData::default();
        store.0.write().unwrap().last_version = u32::MAX;
        store.set("", b"key", b"value", None).unwrap();
        let (_, version) = store.get("", b"key").unwrap();
        assert_eq!(version.0.get(), 1);
    }
}

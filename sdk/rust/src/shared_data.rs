//! Values shared by all VMs of a `vm_id`, on all workers.

use crate::bindings::proxy_wasm::plugin::shared_data::{self, SharedDataError};
use crate::error::Refused;

/// The version of a value; another write makes another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(u32);

/// Returns a value and its version, if the key has one.
///
/// # Errors
///
/// The host keeps no shared data.
pub fn get(key: impl AsRef<[u8]>) -> Result<Option<(Vec<u8>, Version)>, Refused<SharedDataError>> {
    let key = key.as_ref();
    match shared_data::get(key) {
        Ok((value, version)) => Ok(Some((value, Version(version)))),
        Err(SharedDataError::NotFound) => Ok(None),
        Err(reason) => Err(refused(key, reason)),
    }
}

/// Stores a value, whatever was there.
///
/// # Errors
///
/// The key, the value or the whole exceeds the host's limit, or it keeps no shared data.
pub fn set(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), Refused<SharedDataError>> {
    let key = key.as_ref();
    shared_data::set(key, value.as_ref(), 0).map_err(|reason| refused(key, reason))
}

/// Stores a value if nobody else has since `version` was read. Returns whether it did.
///
/// # Errors
///
/// See [`set`].
pub fn compare_and_set(
    key: impl AsRef<[u8]>,
    value: impl AsRef<[u8]>,
    version: Version,
) -> Result<bool, Refused<SharedDataError>> {
    let key = key.as_ref();
    match shared_data::set(key, value.as_ref(), version.0) {
        Ok(()) => Ok(true),
        Err(SharedDataError::CasMismatch) => Ok(false),
        Err(reason) => Err(refused(key, reason)),
    }
}

/// Replaces a value by what `change` makes of it, as often as it takes for no other write to come in between. A key
/// without a value is written whatever comes in between: the contract has no version for that.
///
/// # Errors
///
/// See [`set`].
pub fn update<V: AsRef<[u8]>>(
    key: impl AsRef<[u8]>,
    mut change: impl FnMut(Option<&[u8]>) -> V,
) -> Result<(), Refused<SharedDataError>> {
    let key = key.as_ref();
    loop {
        match get(key)? {
            None => return set(key, change(None)),
            Some((value, version)) if compare_and_set(key, change(Some(&value)), version)? => {
                return Ok(());
            }
            Some(_) => {}
        }
    }
}

#[cold]
fn refused(key: &[u8], reason: SharedDataError) -> Refused<SharedDataError> {
    Refused::new(
        format_args!("shared data `{}`", String::from_utf8_lossy(key)),
        reason,
    )
}

//! Shared data (ABI 4.10): values by key, for all VMs of a `vm_id`, on all workers.
//!
//! Each value has a version, which another write changes; a write can ask for the version that it replaces. Values
//! outlive the VMs that wrote them.

mod memory;

#[cfg(test)]
pub(crate) mod contract;

use std::fmt::Debug;
use std::num::NonZeroU32;

pub use self::memory::MemorySharedData;

/// Bytes of one key. Keys are names, or what identifies a client: addresses, users, tokens.
pub const MAX_KEY_BYTES: usize = 8 * 1024;

/// Bytes of one value. The largest that are seen are configurations and key sets fetched for all workers, which have
/// some tens of KiB; a value is copied for each read.
pub const MAX_VALUE_BYTES: usize = 1024 * 1024;

/// Keys of one `vm_id`: a counter for each of so many clients.
pub const MAX_KEYS: usize = 256 * 1024;

/// Bytes of one `vm_id`, [`ENTRY_BYTES`] for each entry included. As much as a quarter of what a VM may use by default:
/// nothing is ever deleted through the ABI, so a plugin that puts what clients send into keys gets here.
pub const MAX_SCOPE_BYTES: usize = 64 * 1024 * 1024;

/// Bytes that an entry counts beside its key and value: about what the table needs for it.
pub const ENTRY_BYTES: usize = 96;

/// A version of a value, unique among all values of a store. Never 0, which asks for none in the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub NonZeroU32);

/// Why a value was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The value has changed since the version given.
    #[error("the value has changed meanwhile")]
    Mismatch,
    /// The key is longer than [`MAX_KEY_BYTES`].
    #[error("the key has more than {MAX_KEY_BYTES} bytes")]
    KeyTooLong,
    /// The value is longer than [`MAX_VALUE_BYTES`].
    #[error("the value has more than {MAX_VALUE_BYTES} bytes")]
    ValueTooLong,
    /// There are [`MAX_KEYS`] of this `vm_id`.
    #[error("there are {MAX_KEYS} keys of this `vm_id` already")]
    TooManyKeys,
    /// The values of this `vm_id` would take more than [`MAX_SCOPE_BYTES`].
    #[error("the values of this `vm_id` would take more than {MAX_SCOPE_BYTES} bytes")]
    ScopeFull,
}

/// The shared data of a proxy.
pub trait SharedDataStore: Debug + Send + Sync {
    /// Returns a value and its version.
    fn get(&self, vm_id: &str, key: &[u8]) -> Option<(Vec<u8>, Version)>;

    /// Stores a value: always without an `expected` version, else if the key has that one or no value at all.
    ///
    /// # Errors
    ///
    /// See [`SetError`]. Nothing is changed then.
    fn set(
        &self,
        vm_id: &str,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<(), SetError>;
}

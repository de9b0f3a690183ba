//! The host's random numbers, good enough for secrets.

use crate::bindings::wasi::random::random;

/// Returns a random number.
pub fn u64() -> u64 {
    random::get_random_u64()
}

/// Returns `count` random bytes.
pub fn bytes(count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count);
    // The host may give fewer than asked for, but never none: without random bytes it ends the VM.
    while bytes.len() < count {
        bytes.extend(random::get_random_bytes((count - bytes.len()) as u64));
    }
    bytes
}

//! `wasi:random`: bytes from the operating system's generator.

use crate::vm::bindings::wasi::random::random;
use crate::vm::state::VmState;

/// Bytes that one call returns at most: the interface allows fewer than asked for, and nobody needs more at once.
const MAX_RANDOM_BYTES: usize = 64 * 1024;

impl random::Host for VmState {
    fn get_random_bytes(&mut self, max_len: u64) -> Vec<u8> {
        let mut bytes = vec![
            0;
            usize::try_from(max_len)
                .unwrap_or(usize::MAX)
                .min(MAX_RANDOM_BYTES)
        ];
        if let Err(error) = getrandom::fill(&mut bytes) {
            // Nothing rather than something predictable.
            tracing::error!(%error, "the operating system gave no random bytes");
            bytes.clear();
        }
        bytes
    }

    fn get_random_u64(&mut self) -> u64 {
        getrandom::u64().unwrap_or_else(|error| {
            tracing::error!(%error, "the operating system gave no random bytes");
            fastrand::u64(..)
        })
    }
}

//! `wasi:random`: bytes from the operating system's generator.

use crate::vm::bindings::wasi::random::random;
use crate::vm::state::VmState;

/// Bytes that one call returns at most: the interface allows fewer than asked for, and nobody needs more at once.
const MAX_RANDOM_BYTES: usize = 64 * 1024;

impl random::Host for VmState {
    fn get_random_bytes(&mut self, max_len: u64) -> wasmtime::Result<Vec<u8>> {
        let length = usize::try_from(max_len).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(MAX_RANDOM_BYTES)];
        getrandom::fill(&mut bytes).map_err(unpredictable)?;
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        getrandom::u64().map_err(unpredictable)
    }
}

/// The VM ends: no plugin may take anything else for a secret.
fn unpredictable(error: getrandom::Error) -> wasmtime::Error {
    wasmtime::Error::msg(format!(
        "the operating system gave no random bytes: {error}"
    ))
}

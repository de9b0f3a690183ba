//! One compiled plugin in a file: a header that says what it is, and the code.
#![expect(unsafe_code, reason = "the one file that takes machine code from disk")]

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::CacheKey;
use super::directory::OwnBytes;

const MAGIC: [u8; 8] = *b"pwasi\0\0\x01";
const KEY_END: usize = MAGIC.len() + 32;
const HEADER_END: usize = KEY_END + 32;

/// What stands before the code: magic, key, digest of the code.
pub(super) fn header(key: &CacheKey, code: &[u8]) -> Vec<u8> {
    [MAGIC.as_slice(), &key.0, &Sha256::digest(code)].concat()
}

/// Why an entry is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntryError {
    #[error("it is cut short, or no entry of this cache")]
    Foreign,
    #[error("it is the entry of another plugin")]
    OtherKey,
    #[error("its content is damaged")]
    Damaged,
    #[error("wasmtime refuses it: {0:#}")]
    Refused(wasmtime::Error),
}

/// Takes the component out of an entry.
pub(super) fn component(
    engine: &Engine,
    key: &CacheKey,
    entry: &OwnBytes,
) -> Result<Component, EntryError> {
    let bytes = entry.as_slice();
    let part = |range| bytes.get(range).ok_or(EntryError::Foreign);
    if part(0..MAGIC.len())? != MAGIC {
        return Err(EntryError::Foreign);
    }
    if part(MAGIC.len()..KEY_END)? != key.0 {
        return Err(EntryError::OtherKey);
    }
    let code = part(HEADER_END..bytes.len())?;
    if part(KEY_END..HEADER_END)? != Sha256::digest(code).as_slice() {
        return Err(EntryError::Damaged);
    }
    // SAFETY: `deserialize` wants what `Component::serialize` gave, unchanged. `OwnBytes` were written by this user,
    // and nobody else could: the directory and the file were checked. Of what this user writes, only
    // `ComponentCache::load_or_compile` makes files with our magic, and it puts what `serialize` gave behind the
    // header; that it came back unchanged, the digest has shown. Bytes of another version or engine have another key,
    // and wasmtime itself refuses them.
    unsafe { Component::deserialize(engine, code) }.map_err(EntryError::Refused)
}

//! What toolchains import from `env` beside the ABI (ABI reference 1.5).

use proxy_wasi_abi::LogLevel;

use crate::bindings::wasi::random::random;
use crate::hostcalls::wasi;
use crate::log;
use crate::memory::{self, Input};

/// Code units. A longer AssemblyScript string is cut in the log.
const MAX_UNITS: u32 = 4096;
/// Bytes, as POSIX has it.
const MAX_ENTROPY: u32 = 256;

/// `abort` of AssemblyScript: logs what went wrong and where, and traps.
pub(crate) fn abort(message: u32, file: u32, line: u32, column: u32) -> ! {
    let (message, file) = (string(message), string(file));
    let place = [" at ", &file, ":", &decimal(line), ":", &decimal(column)].concat();
    log::plugin(
        LogLevel::Critical,
        "",
        ["abort: ", &message, &place].concat().as_bytes(),
    );
    log::trap()
}

/// Reads an AssemblyScript string: UTF-16, its size in bytes in the word before it.
fn string(at: u32) -> String {
    let size = at
        .checked_sub(4)
        .and_then(|size_at| memory::load_u32(size_at).ok())
        .unwrap_or(0);
    let bytes = memory::read(Input(at, size.min(2 * MAX_UNITS))).unwrap_or_default();
    let units = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// `seed` of AssemblyScript's `Math.random`.
pub(crate) fn seed() -> f64 {
    // 53 bits fit in a float exactly.
    (random::get_random_u64() >> 11) as f64
}

/// `getentropy` of Emscripten's C library, for C++'s `random_device`: 0, or -1 if that is too much or goes nowhere.
pub(crate) fn getentropy(at: u32, len: u32) -> u32 {
    if len > MAX_ENTROPY || wasi::random_get(at, len).is_err() {
        u32::MAX
    } else {
        0
    }
}

/// `pthread_equal`
pub(crate) fn pthread_equal(one: u32, other: u32) -> u32 {
    u32::from(one == other)
}

/// A number in decimal, without the machinery of formatting.
pub(crate) fn decimal(number: u32) -> String {
    let mut digits = Vec::new();
    let mut rest = number;
    loop {
        digits.push(char::from(b'0' + (rest % 10) as u8));
        rest /= 10;
        if rest == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written() {
        for number in [0, 7, 10, 255, u32::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }

    #[test]
    fn strings_are_read_and_bad_ones_are_empty() {
        let text = "größe €";
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memory::store_u32(100, u32::try_from(units.len()).unwrap()).unwrap();
        memory::write(104, &units).unwrap();
        assert_eq!(string(104), text);
        memory::store_u32(100, u32::MAX).unwrap();
        assert_eq!(string(104).encode_utf16().count(), MAX_UNITS as usize);
        assert_eq!(string(0), "");
        assert_eq!(string(u32::MAX), "");
    }
}

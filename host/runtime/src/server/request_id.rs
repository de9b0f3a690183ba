//! Names for requests that come without one.

use std::cell::RefCell;

use fastrand::Rng;
use http::HeaderValue;

/// Makes values for `x-request-id`: random UUIDs (RFC 9562, version 4).
///
/// One per worker. The generator is seeded by the operating system but not made for secrets: the ids are unique, not
/// unguessable.
#[derive(Debug)]
pub struct RequestIds(RefCell<Rng>);

impl RequestIds {
    /// Creates a generator with a seed of the operating system, and of the clock and thread if it has none.
    #[must_use]
    pub fn new() -> Self {
        let mut seed = [0; 8];
        let rng = match getrandom::fill(&mut seed) {
            Ok(()) => Rng::with_seed(u64::from_ne_bytes(seed)),
            Err(_) => Rng::new(),
        };
        Self(RefCell::new(rng))
    }

    /// Makes the next id.
    pub fn next(&self) -> HeaderValue {
        let text = format_uuid(self.0.borrow_mut().u128(..));
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static(
            "00000000-0000-4000-8000-000000000000",
        ))
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

/// 8-4-4-4-12 hexadecimal digits, with the version and variant set.
fn format_uuid(random: u128) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let uuid = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let mut text = [b'-'; 36];
    let mut shift = 128;
    for (position, slot) in text.iter_mut().enumerate() {
        if matches!(position, 8 | 13 | 18 | 23) {
            continue;
        }
        shift -= 4;
        let digit = (uuid >> shift) & 0xf;
        *slot = HEX.get(digit as usize).copied().unwrap_or(b'0');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_version_four() {
        let text = |random| String::from_utf8(format_uuid(random).to_vec()).unwrap();
        assert_eq!(text(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(text(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            text(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
            "01234567-89ab-4def-8123-456789abcdef"
        );
    }

    #[test]
    fn ids_differ() {
        let ids = RequestIds::new();
        assert_ne!(ids.next(), ids.next());
        assert_ne!(RequestIds::new().next(), RequestIds::new().next());
    }
}

//! Digests of bodies (RFC 9530).

use sha2::{Digest, Sha256};

/// A digest of the bytes so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyDigest(Sha256);

impl BodyDigest {
    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the value of a field `content-digest`.
    pub(crate) fn field(self) -> String {
        format!("sha-256=:{}:", base64(&self.0.finalize()))
    }
}

/// RFC 4648, section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let padded = (0..3).fold(0_usize, |bits, at| {
            bits << 8 | usize::from(group.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let digit = ALPHABET.get(padded >> (18 - 6 * at) & 63);
            text.push(match digit {
                Some(digit) if at <= group.len() => char::from(*digit),
                _ => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_that_of_the_rfc() {
        // RFC 9530, appendix B.1.
        let mut digest = BodyDigest::default();
        digest.update(b"{\"hello\": ");
        digest.update(b"\"world\"}\n");
        assert_eq!(
            digest.field(),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}

//! Property paths and values (ABI reference 3.2 and 3.3).

use crate::pairs;

/// Splits a path at its NULs. One NUL at the end is ignored, since C++ plugins write one; text between two NULs may be
/// empty. None for an empty path, which names nothing (`SerializationFailure`).
pub fn split_path(path: &[u8]) -> Option<impl Iterator<Item = &[u8]> + Clone> {
    let path = path.strip_suffix(&[0]).unwrap_or(path);
    (!path.is_empty()).then(|| path.split(|byte| *byte == 0))
}

/// The value of a property, by its type in Envoy's attribute language (CEL).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PropertyValue<'a> {
    /// Text or bytes.
    Bytes(&'a [u8]),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A truth value.
    Bool(bool),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Nanoseconds.
    Duration(i64),
    /// A map whose values are serialized already.
    Entries(&'a [(Vec<u8>, Vec<u8>)]),
    /// A serialized protobuf message.
    Message(&'a [u8]),
}

impl PropertyValue<'_> {
    /// Appends the value as plugins expect it: numbers and times as eight bytes, little-endian, never as text.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        match *self {
            Self::Bytes(value) | Self::Message(value) => bytes.extend_from_slice(value),
            Self::Int(value) | Self::Timestamp(value) | Self::Duration(value) => {
                bytes.extend_from_slice(&value.to_le_bytes())
            }
            Self::Uint(value) => bytes.extend_from_slice(&value.to_le_bytes()),
            Self::Double(value) => bytes.extend_from_slice(&value.to_le_bytes()),
            Self::Bool(value) => bytes.push(u8::from(value)),
            Self::Entries(entries) => {
                pairs::encode_into(bytes, entries.iter().map(|(name, value)| (name, value)))
            }
        }
    }

    /// The value as plugins expect it. See [`Self::encode_into`].
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode_into(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn split(path: &[u8]) -> Vec<&[u8]> {
        split_path(path).into_iter().flatten().collect()
    }

    #[test]
    fn paths_of_every_sdk() {
        assert_eq!(
            split(b"request\0headers\0x.y"),
            [b"request".as_slice(), b"headers", b"x.y"]
        );
        assert_eq!(split(b"a\0b\0"), [b"a".as_slice(), b"b"]);
        assert_eq!(split(b"plugin_root_id"), [b"plugin_root_id".as_slice()]);
        assert_eq!(split(b"a\0\0b"), [b"a".as_slice(), b"", b"b"]);
        assert_eq!(split(b"a\0\0"), [b"a".as_slice(), b""]);
        assert!(split_path(b"").is_none());
        assert!(split_path(b"\0").is_none());
    }

    #[test]
    fn values_are_binary() {
        let cases: &[(PropertyValue<'_>, &[u8])] = &[
            (PropertyValue::Bytes(b"text"), b"text"),
            (PropertyValue::Bytes(b""), b""),
            (PropertyValue::Int(443), &[0xbb, 1, 0, 0, 0, 0, 0, 0]),
            (PropertyValue::Int(-1), &[0xff; 8]),
            (PropertyValue::Uint(u64::MAX), &[0xff; 8]),
            (PropertyValue::Double(1.0), &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
            (PropertyValue::Bool(true), &[1]),
            (PropertyValue::Bool(false), &[0]),
            (PropertyValue::Timestamp(1), &[1, 0, 0, 0, 0, 0, 0, 0]),
            (PropertyValue::Duration(256), &[0, 1, 0, 0, 0, 0, 0, 0]),
            (PropertyValue::Message(b"\x08\x01"), b"\x08\x01"),
        ];
        for (value, expected) in cases {
            assert_eq!(value.encode(), *expected, "{value:?}");
        }
        let entries = [(b"a".to_vec(), b"1".to_vec())];
        assert_eq!(
            PropertyValue::Entries(&entries).encode(),
            pairs::encode([("a", "1")])
        );
    }

    proptest! {
        #[test]
        fn a_joined_path_splits_again(segments in vec(vec(1..=255u8, 1..8), 1..6)) {
            let joined = segments.join(&0);
            prop_assert_eq!(split(&joined), segments);
        }
    }
}

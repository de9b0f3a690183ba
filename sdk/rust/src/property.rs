//! Values of properties.

use crate::bindings::proxy_wasm::plugin::property::PropertyValue;

impl PropertyValue {
    /// Returns text and bytes as bytes, a message serialized; none for other types.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) | Self::Message(bytes) => Some(bytes),
            Self::Signed(_)
            | Self::Unsigned(_)
            | Self::Floating(_)
            | Self::Boolean(_)
            | Self::Timestamp(_)
            | Self::Span(_)
            | Self::Entries(_) => None,
        }
    }

    /// Returns text, and bytes that are UTF-8, as text; none for other types.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Signed(_)
            | Self::Unsigned(_)
            | Self::Floating(_)
            | Self::Boolean(_)
            | Self::Timestamp(_)
            | Self::Span(_)
            | Self::Entries(_)
            | Self::Message(_) => None,
        }
    }

    /// Returns whole numbers that fit: ports, sizes, codes; none for other types.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Signed(number) => u64::try_from(*number).ok(),
            Self::Unsigned(number) => Some(*number),
            Self::Text(_)
            | Self::Bytes(_)
            | Self::Floating(_)
            | Self::Boolean(_)
            | Self::Timestamp(_)
            | Self::Span(_)
            | Self::Entries(_)
            | Self::Message(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_what_they_are() {
        assert_eq!(PropertyValue::Text("/".into()).as_str(), Some("/"));
        assert_eq!(PropertyValue::Bytes(vec![0xff]).as_str(), None);
        assert_eq!(
            PropertyValue::Bytes(vec![0xff]).as_bytes(),
            Some(&[0xff][..])
        );
        assert_eq!(PropertyValue::Signed(443).as_u64(), Some(443));
        assert_eq!(PropertyValue::Signed(-1).as_u64(), None);
        assert_eq!(PropertyValue::Text("443".into()).as_u64(), None);
    }
}

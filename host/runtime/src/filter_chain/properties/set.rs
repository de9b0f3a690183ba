//! Properties that plugins set.

use crate::vm::{PropertyError, PropertyValue};

/// Properties that plugins may set in one stream.
const MAX_PROPERTIES: usize = 128;
/// Bytes of names and values that they may take.
const MAX_PROPERTY_BYTES: usize = 64 * 1024;

/// What plugins have set, for the rest of the stream.
#[derive(Debug, Default)]
pub(crate) struct SetProperties {
    values: Vec<(String, Vec<u8>)>,
    bytes: usize,
}

impl SetProperties {
    /// Sets a property, or replaces its value.
    ///
    /// # Errors
    ///
    /// There are too many, or too many bytes of them.
    pub(crate) fn set(&mut self, name: &str, value: &[u8]) -> Result<(), PropertyError> {
        let old = self.values.iter().position(|(known, _)| known == name);
        let freed = old
            .and_then(|at| self.values.get(at))
            .map_or(0, |(name, value)| name.len() + value.len());
        let bytes = self.bytes - freed + name.len() + value.len();
        if bytes > MAX_PROPERTY_BYTES || (old.is_none() && self.values.len() >= MAX_PROPERTIES) {
            return Err(PropertyError::LimitReached);
        }
        self.bytes = bytes;
        match old.and_then(|at| self.values.get_mut(at)) {
            Some((_, slot)) => *slot = value.to_vec(),
            None => self.values.push((name.to_owned(), value.to_vec())),
        }
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<PropertyValue> {
        self.values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| PropertyValue::Bytes(value.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(properties: &SetProperties, name: &str) -> Option<Vec<u8>> {
        let value = properties.get(name)?;
        if let PropertyValue::Bytes(bytes) = value {
            Some(bytes)
        } else {
            panic!("{value:?} is not what was set");
        }
    }

    #[test]
    fn what_was_set_last_counts() {
        let mut properties = SetProperties::default();
        assert_eq!(get(&properties, "a"), None);
        properties.set("a", b"one").unwrap();
        properties.set("a\0b", b"").unwrap();
        properties.set("a", b"\xff\0").unwrap();
        assert_eq!(get(&properties, "a").as_deref(), Some(&b"\xff\0"[..]));
        assert_eq!(get(&properties, "a\0b").as_deref(), Some(&b""[..]));
        assert_eq!(properties.values.len(), 2);
    }

    #[test]
    fn the_number_is_bounded() {
        let mut properties = SetProperties::default();
        for at in 0..MAX_PROPERTIES {
            properties.set(&at.to_string(), b"").unwrap();
        }
        let refused = properties.set("one more", b"");
        assert!(matches!(refused, Err(PropertyError::LimitReached)));
        properties.set("7", b"again").unwrap();
    }

    #[test]
    fn the_bytes_are_bounded() {
        let mut properties = SetProperties::default();
        properties.set("a", &[0; MAX_PROPERTY_BYTES - 2]).unwrap();
        properties.set("b", b"").unwrap();
        let refused = properties.set("b", b"x");
        assert!(matches!(refused, Err(PropertyError::LimitReached)));
        // What is replaced makes room.
        properties.set("a", b"").unwrap();
        properties.set("b", &[0; MAX_PROPERTY_BYTES - 2]).unwrap();
    }
}

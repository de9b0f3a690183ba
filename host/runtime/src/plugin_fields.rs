//! Maps of fields that plugins make, held to a size.
//!
//! What hyper accepts from peers is in the same order; a plugin that adds fields without end must not fill the machine.
//! `http::HeaderMap` itself panics beyond 32,768 entries.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Bytes of names and values that one map may grow to.
const MAX_BYTES: usize = 256 * 1024;

/// Entries that one map may grow to.
const MAX_ENTRIES: usize = 4096;

/// Below this many entries, and this many bytes in the one that is added, a map is not counted before each edit: they
/// bound each other.
const FEW: (usize, usize) = (256, MAX_BYTES / 512);

/// The map is as large as a map may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

fn size(name: &HeaderName, value: &HeaderValue) -> usize {
    name.as_str().len() + value.len()
}

/// Whether one more field fits into a map that a plugin edits.
pub(crate) fn check_room(
    map: &HeaderMap,
    name: &HeaderName,
    value: &HeaderValue,
) -> Result<(), TooLarge> {
    let added = size(name, value);
    if map.len() < FEW.0 && added < FEW.1 {
        return Ok(());
    }
    let bytes: usize = map.iter().map(|(name, value)| size(name, value)).sum();
    if map.len() >= MAX_ENTRIES || bytes + added > MAX_BYTES {
        return Err(TooLarge);
    }
    Ok(())
}

/// A map that a plugin gives as a whole.
#[derive(Debug)]
pub(crate) struct PluginFields {
    map: HeaderMap,
    bytes: usize,
}

impl PluginFields {
    /// An empty map, with room for so many fields if a map may have them.
    pub(crate) fn with_capacity(fields: usize) -> Self {
        Self {
            map: HeaderMap::with_capacity(fields.min(MAX_ENTRIES)),
            bytes: 0,
        }
    }

    pub(crate) fn append(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), TooLarge> {
        self.bytes += size(&name, &value);
        if self.map.len() >= MAX_ENTRIES || self.bytes > MAX_BYTES {
            return Err(TooLarge);
        }
        self.map.append(name, value);
        Ok(())
    }

    pub(crate) fn into_map(self) -> HeaderMap {
        self.map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: HeaderName = HeaderName::from_static("a");

    fn value(bytes: usize) -> HeaderValue {
        HeaderValue::try_from(vec![b'v'; bytes]).unwrap()
    }

    /// How many fields of so many bytes fit, by whole maps and by single edits.
    fn fit(bytes: usize) -> (usize, usize) {
        let value = value(bytes - 1);
        let mut whole = PluginFields::with_capacity(usize::MAX);
        while whole.append(NAME, value.clone()).is_ok() {}
        let mut edited = HeaderMap::new();
        while check_room(&edited, &NAME, &value).is_ok() {
            edited.append(NAME, value.clone());
        }
        (whole.into_map().len(), edited.len())
    }

    #[test]
    fn maps_end_at_their_entries() {
        assert_eq!(fit(1), (MAX_ENTRIES, MAX_ENTRIES));
    }

    #[test]
    fn maps_end_at_their_bytes() {
        for bytes in [100, FEW.1, 32 * 1024] {
            assert_eq!(fit(bytes), (MAX_BYTES / bytes, MAX_BYTES / bytes));
        }
    }

    #[test]
    fn long_names_count() {
        let name = HeaderName::try_from(vec![b'n'; 60 * 1024]).unwrap();
        let mut map = HeaderMap::new();
        for _ in 0..4 {
            assert_eq!(check_room(&map, &name, &value(0)), Ok(()));
            map.append(name.clone(), value(0));
        }
        assert_eq!(check_room(&map, &name, &value(0)), Err(TooLarge));
    }
}

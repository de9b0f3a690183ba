//! Values, in the types that Envoy gives them (ABI 3.3).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::vm::PropertyValue;

/// A property that may not be there.
pub(super) type Found = Option<PropertyValue>;

pub(super) fn text(value: impl ToString) -> PropertyValue {
    PropertyValue::Text(value.to_string())
}

/// Text that is UTF-8 most of the time. What a legacy plugin gets is the same bytes either way.
pub(super) fn bytes(value: Vec<u8>) -> PropertyValue {
    match String::from_utf8(value) {
        Ok(text) => PropertyValue::Text(text),
        Err(error) => PropertyValue::Bytes(error.into_bytes()),
    }
}

pub(super) fn integer(value: impl TryInto<i64>) -> PropertyValue {
    PropertyValue::Signed(value.try_into().unwrap_or(i64::MAX))
}

pub(super) fn duration(value: Duration) -> PropertyValue {
    PropertyValue::Span(i64::try_from(value.as_nanos()).unwrap_or(i64::MAX))
}

/// All values of a field, joined with a comma.
pub(super) fn joined(headers: &HeaderMap, name: &str) -> Found {
    let mut values = headers.get_all(name).iter();
    let mut all = values.next()?.as_bytes().to_vec();
    for value in values {
        all.push(b',');
        all.extend_from_slice(value.as_bytes());
    }
    Some(bytes(all))
}

/// An entry of a map.
pub(super) fn entry(name: &str, value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (name.as_bytes().to_vec(), value.to_vec())
}

/// Entries of a map, in order.
pub(super) fn entries<'a>(
    fields: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    fields.map(|(name, value)| entry(name.as_str(), value.as_bytes()))
}

/// Bytes of all names and values.
pub(super) fn size<'a>(fields: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>) -> usize {
    fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

/// A number of bytes as properties give it.
pub(super) fn sum(parts: [u64; 2]) -> PropertyValue {
    integer(parts[0].saturating_add(parts[1]))
}

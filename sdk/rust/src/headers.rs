//! Header and trailer fields.

use std::fmt::{self, Debug, Display, Formatter};
use std::str::Utf8Error;

use crate::bindings::proxy_wasm::plugin::http_headers::{self, HeaderError};
use crate::bindings::proxy_wasm::plugin::plugin_types::HeaderMap;
use crate::error::Refused;

/// The value of a field: bytes, mostly ASCII text.
///
/// Compares with text and with bytes, and reads as either. Shown, it is text with U+FFFD for whatever is not UTF-8.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldValue(Vec<u8>);

impl FieldValue {
    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text, if it is any.
    ///
    /// # Errors
    ///
    /// The value is not UTF-8. Clients may send such values.
    pub fn to_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.0)
    }

    /// Returns the text with U+FFFD for whatever is not UTF-8.
    pub fn to_string_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Returns the bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Display for FieldValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_string_lossy())
    }
}

impl Debug for FieldValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.to_string_lossy(), f)
    }
}

impl AsRef<[u8]> for FieldValue {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq<str> for FieldValue {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for FieldValue {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq<String> for FieldValue {
    fn eq(&self, other: &String) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<[u8]> for FieldValue {
    fn eq(&self, other: &[u8]) -> bool {
        self.0 == other
    }
}

impl From<Vec<u8>> for FieldValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for FieldValue {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<FieldValue> for Vec<u8> {
    fn from(value: FieldValue) -> Self {
        value.0
    }
}

/// The header or trailer fields of a message that the host holds. Each method is one call to the host.
///
/// Readable from their own callback on, writable in it and for as long as the message's head (or trailers) is held by
/// this plugin. Names are compared without case. The start line is not among them: see
/// [`Request`](crate::Request) and [`Response`](crate::Response).
///
/// Errors are the same for all methods: the stream is no more, the fields are not there in this phase or not to be
/// written, a name or value is malformed, or an edit is too large.
#[derive(Clone, Copy, Debug)]
pub struct Headers {
    context: u64,
    map: HeaderMap,
}

type HeaderResult<T> = Result<T, Refused<HeaderError>>;

#[expect(
    clippy::missing_errors_doc,
    reason = "the type's documentation tells them once"
)]
impl Headers {
    pub(crate) fn new(context: u64, map: HeaderMap) -> Self {
        Self { context, map }
    }

    /// Returns the first value of a field. A policy that must not be fooled by repeated fields reads
    /// [`get_all`](Self::get_all).
    pub fn get(self, name: &str) -> HeaderResult<Option<FieldValue>> {
        match http_headers::get(self.context, self.map, name) {
            Ok(value) => Ok(value.map(FieldValue)),
            Err(reason) => Err(self.refused(name, reason)),
        }
    }

    /// Returns all values of a field, in order.
    pub fn get_all(self, name: &str) -> HeaderResult<Vec<FieldValue>> {
        match http_headers::get_all(self.context, self.map, name) {
            Ok(values) => Ok(values.into_iter().map(FieldValue).collect()),
            Err(reason) => Err(self.refused(name, reason)),
        }
    }

    /// Returns all fields, in order.
    pub fn entries(self) -> HeaderResult<Fields> {
        match http_headers::entries(self.context, self.map) {
            Ok(entries) => Ok(entries.into_iter().collect()),
            Err(reason) => Err(self.refused("*", reason)),
        }
    }

    /// Returns the number of entries.
    pub fn count(self) -> HeaderResult<u32> {
        http_headers::count(self.context, self.map).map_err(|reason| self.refused("*", reason))
    }

    /// Adds an entry behind those of the same name.
    pub fn append(self, name: &str, value: impl AsRef<[u8]>) -> HeaderResult<()> {
        http_headers::append(self.context, self.map, name, value.as_ref())
            .map_err(|reason| self.refused(name, reason))
    }

    /// Makes this the only value of a field.
    pub fn set(self, name: &str, value: impl AsRef<[u8]>) -> HeaderResult<()> {
        http_headers::set(self.context, self.map, name, value.as_ref())
            .map_err(|reason| self.refused(name, reason))
    }

    /// Removes all values of a field; nothing happens if there are none.
    pub fn remove(self, name: &str) -> HeaderResult<()> {
        http_headers::remove(self.context, self.map, name)
            .map_err(|reason| self.refused(name, reason))
    }

    /// Replaces all fields. The start line stays.
    pub fn set_entries(self, fields: Fields) -> HeaderResult<()> {
        http_headers::set_entries(self.context, self.map, &fields.into_entries())
            .map_err(|reason| self.refused("*", reason))
    }

    #[cold]
    fn refused(self, name: &str, reason: HeaderError) -> Refused<HeaderError> {
        Refused::new(
            format_args!("field `{name}` of {}", map_name(self.map)),
            reason,
        )
    }
}

fn map_name(map: HeaderMap) -> &'static str {
    match map {
        HeaderMap::RequestHeaders => "the request's headers",
        HeaderMap::RequestTrailers => "the request's trailers",
        HeaderMap::ResponseHeaders => "the response's headers",
        HeaderMap::ResponseTrailers => "the response's trailers",
    }
}

/// Fields of the plugin's own, in order: those of a local response or a callout, or a copy of a message's.
///
/// ```
/// # use proxy_wasi_sdk::Fields;
/// let mut fields = Fields::from([("content-type", "text/html")]);
/// fields.append("vary", "accept");
/// assert!(fields.get("Content-Type").is_some_and(|value| value == "text/html"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, FieldValue)>);

impl Fields {
    /// Returns no fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the first value of a field; names are compared without case.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.get_all(name).next()
    }

    /// Returns all values of a field, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &FieldValue> {
        self.iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Adds an entry at the end.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<FieldValue>) {
        self.0.push((name.into(), value.into()));
    }

    /// Removes all values of a field.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// Makes this the only value of a field, at the end.
    pub fn set(&mut self, name: &str, value: impl Into<FieldValue>) {
        self.remove(name);
        self.append(name, value);
    }

    /// Returns the entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_entries(self) -> Vec<(String, Vec<u8>)> {
        self.0
            .into_iter()
            .map(|(name, value)| (name, value.0))
            .collect()
    }
}

impl<N: Into<String>, V: Into<FieldValue>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        Self(
            entries
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl<N: Into<String>, V: Into<FieldValue>, const COUNT: usize> From<[(N, V); COUNT]> for Fields {
    fn from(entries: [(N, V); COUNT]) -> Self {
        entries.into_iter().collect()
    }
}

impl IntoIterator for Fields {
    type Item = (String, FieldValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case() {
        let mut fields = Fields::from([("Accept", "a"), ("x-other", "b"), ("accept", "c")]);

        assert_eq!(
            fields
                .get_all("ACCEPT")
                .map(FieldValue::as_bytes)
                .collect::<Vec<_>>(),
            [b"a", b"c"]
        );

        fields.set("aCCept", "d");
        assert_eq!(fields, Fields::from([("x-other", "b"), ("aCCept", "d")]));

        fields.remove("X-Other");
        assert_eq!(fields.len(), 1);
    }

    #[test]
    fn a_value_need_not_be_text() {
        let value = FieldValue::from(&b"caf\xe9"[..]);

        assert!(value.to_str().is_err());
        assert_eq!(value.to_string_lossy(), "caf\u{fffd}");
        assert_eq!(format!("{value:>5}"), " caf\u{fffd}");
        assert_eq!(value, b"caf\xe9"[..]);
        assert_ne!(value, "caf");
    }
}

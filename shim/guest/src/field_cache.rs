//! Copies of header maps, from which fields are read.
//!
//! Each call into the host costs what a copy of ten fields does, and few callbacks read only one. So the first read of a
//! map fetches the whole of it, which answers until it is written or the callback ends.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use proxy_wasi_abi::pairs::Pairs;

use crate::bindings::proxy_wasm::plugin::flat_headers;
use crate::bindings::proxy_wasm::plugin::http_headers::HeaderError;
use crate::bindings::proxy_wasm::plugin::plugin_types::{HeaderMap, StreamContext};

/// The maps of one stream.
struct Cache {
    stream: StreamContext,
    copies: [Option<FlatMap>; 4],
}

/// A map in the ABI's serialized form.
pub(crate) struct FlatMap(Vec<u8>);

thread_local! {
    static USED: Cell<bool> = const { Cell::new(false) };
    static CACHE: RefCell<Cache> =
        const { RefCell::new(Cache { stream: 0, copies: [const { None }; 4] }) };
}

/// Takes the copy of a map, to be [put back](put_back): the legacy allocator runs before its reader is done.
///
/// # Errors
///
/// The map is not to be had.
#[inline]
pub(crate) fn take(stream: StreamContext, map: HeaderMap) -> Result<FlatMap, HeaderError> {
    match with_copy(stream, map, Option::take) {
        Some(copy) => Ok(copy),
        None => flat_headers::entries(stream, map).map(FlatMap),
    }
}

/// Keeps a copy for the next read.
pub(crate) fn put_back(stream: StreamContext, map: HeaderMap, copy: FlatMap) {
    with_copy(stream, map, |slot| *slot = Some(copy));
}

/// Forgets a map: it is about to be written.
pub(crate) fn forget(stream: StreamContext, map: HeaderMap) {
    if USED.get() {
        with_copy(stream, map, |slot| *slot = None);
    }
}

/// Forgets everything: the callback has ended.
#[inline]
pub(crate) fn clear() {
    if USED.replace(false) {
        CACHE.with_borrow_mut(|cache| cache.copies = Default::default());
    }
}

fn with_copy<R>(
    stream: StreamContext,
    map: HeaderMap,
    f: impl FnOnce(&mut Option<FlatMap>) -> R,
) -> R {
    CACHE.with_borrow_mut(|cache| {
        if !USED.replace(true) {
            cache.stream = stream;
        } else if cache.stream != stream {
            cache.stream = stream;
            cache.copies = Default::default();
        }
        let [
            request_headers,
            request_trailers,
            response_headers,
            response_trailers,
        ] = &mut cache.copies;
        f(match map {
            HeaderMap::RequestHeaders => request_headers,
            HeaderMap::RequestTrailers => request_trailers,
            HeaderMap::ResponseHeaders => response_headers,
            HeaderMap::ResponseTrailers => response_trailers,
        })
    })
}

impl FlatMap {
    /// A map in serialized form.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The serialized form.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Where the first value of a field is. Names are compared without case.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Range<usize>> {
        let value = Pairs::trusted(&self.0).first_value(name)?;
        let start = value.as_ptr().addr() - self.0.as_ptr().addr();
        Some(start..start + value.len())
    }

    /// The value that [`Self::find`] found.
    pub(crate) fn value(&self, range: Range<usize>) -> &[u8] {
        self.0.get(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proxy_wasi_abi::pairs;

    use super::*;

    #[test]
    fn the_first_value_is_found_without_case() {
        let map = FlatMap::new(pairs::encode([
            (":path", "/"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("x-empty", ""),
        ]));
        let value = |name: &str| map.find(name.as_bytes()).map(|range| map.value(range));
        assert_eq!(value("X-A"), Some(b"1".as_slice()));
        assert_eq!(value(":path"), Some(b"/".as_slice()));
        assert_eq!(value("x-empty"), Some(b"".as_slice()));
        assert_eq!(value("x"), None);
        assert_eq!(FlatMap::new(Vec::new()).find(b"x"), None);
    }

    #[test]
    fn copies_last_until_written_cleared_or_another_stream() {
        let map = || FlatMap::new(Vec::new());
        let kept = |stream, of| with_copy(stream, of, |slot| slot.is_some());
        put_back(1, HeaderMap::RequestHeaders, map());
        put_back(1, HeaderMap::ResponseHeaders, map());
        assert!(take(1, HeaderMap::RequestHeaders).is_ok());
        assert!(!kept(1, HeaderMap::RequestHeaders), "taken");
        put_back(1, HeaderMap::RequestHeaders, map());
        forget(1, HeaderMap::RequestHeaders);
        assert!(!kept(1, HeaderMap::RequestHeaders));
        assert!(kept(1, HeaderMap::ResponseHeaders));
        assert!(!kept(2, HeaderMap::ResponseHeaders));
        put_back(2, HeaderMap::ResponseHeaders, map());
        clear();
        assert!(!kept(2, HeaderMap::ResponseHeaders));
    }
}

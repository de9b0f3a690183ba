//! Copies of header maps for callbacks that read many fields.
//!
//! Each read of one field crosses into the host. From the fourth on, the whole map is fetched once and answers until it
//! is written or the callback ends.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use proxy_wasi_abi::pairs::Pairs;

use crate::bindings::proxy_wasm::plugin::flat_headers;
use crate::bindings::proxy_wasm::plugin::plugin_types::{HeaderMap, StreamContext};

/// Reads of one map that are asked of the host before its copy pays: a copy of twenty fields costs what four reads do.
const READS_BEFORE_COPY: u8 = 3;

#[derive(Default)]
struct Slot {
    reads: u8,
    copy: Option<FlatMap>,
}

/// The maps of one stream.
struct Cache {
    stream: StreamContext,
    slots: [Slot; 4],
}

/// A map in the ABI's serialized form.
pub(crate) struct FlatMap(Vec<u8>);

thread_local! {
    static USED: Cell<bool> = const { Cell::new(false) };
    static CACHE: RefCell<Cache> =
        const { RefCell::new(Cache { stream: 0, slots: [const { Slot { reads: 0, copy: None } }; 4] }) };
}

/// Takes the copy of a map, to be [put back](put_back): the legacy allocator runs before its reader is done. None as
/// long as the host is to be asked.
#[inline]
pub(crate) fn take(stream: StreamContext, map: HeaderMap) -> Option<FlatMap> {
    let copy_now = with_slot(stream, map, |slot| {
        if let Some(copy) = slot.copy.take() {
            return Ok(copy);
        }
        slot.reads = slot.reads.saturating_add(1);
        Err(slot.reads > READS_BEFORE_COPY)
    });
    match copy_now {
        Ok(copy) => Some(copy),
        Err(false) => None,
        Err(true) => flat_headers::entries(stream, map).ok().map(FlatMap),
    }
}

/// Keeps a copy for the next read.
pub(crate) fn put_back(stream: StreamContext, map: HeaderMap, copy: FlatMap) {
    with_slot(stream, map, |slot| slot.copy = Some(copy));
}

/// Forgets a map: it is about to be written.
pub(crate) fn forget(stream: StreamContext, map: HeaderMap) {
    if USED.get() {
        with_slot(stream, map, |slot| *slot = Slot::default());
    }
}

/// Forgets everything: the callback has ended.
#[inline]
pub(crate) fn clear() {
    if USED.replace(false) {
        CACHE.with_borrow_mut(|cache| cache.slots = Default::default());
    }
}

fn with_slot<R>(stream: StreamContext, map: HeaderMap, f: impl FnOnce(&mut Slot) -> R) -> R {
    CACHE.with_borrow_mut(|cache| {
        if !USED.replace(true) {
            cache.stream = stream;
        } else if cache.stream != stream {
            cache.stream = stream;
            cache.slots = Default::default();
        }
        let [
            request_headers,
            request_trailers,
            response_headers,
            response_trailers,
        ] = &mut cache.slots;
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
        let mut pairs = Pairs::trusted(&self.0);
        let (_, value) = pairs.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
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
        let kept = |stream, of| with_slot(stream, of, |slot| slot.copy.is_some());
        put_back(1, HeaderMap::RequestHeaders, map());
        put_back(1, HeaderMap::ResponseHeaders, map());
        assert!(take(1, HeaderMap::RequestHeaders).is_some());
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

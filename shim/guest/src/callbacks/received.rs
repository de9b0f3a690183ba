//! What the running callback brought along: the answer to a callout, arguments.

use std::cell::RefCell;

use proxy_wasi_abi::pairs;

use crate::bindings::proxy_wasm::plugin::http_callout::CalloutId;
use crate::bindings::proxy_wasm::plugin::plugin_types::Fields;
use crate::field_cache::FlatMap;

/// A map that a callback brings along.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ReceivedMap {
    /// Initial metadata of a gRPC stream.
    GrpcInitialMetadata,
    /// Trailing metadata of a gRPC stream.
    GrpcTrailingMetadata,
    /// Header fields of the answer to an HTTP callout, with `:status`.
    HttpHeaders,
    /// Trailer fields of the answer to an HTTP callout.
    HttpTrailers,
}

/// Bytes that a callback brings along.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ReceivedBytes {
    /// A gRPC message.
    GrpcMessage,
    /// The arguments of a foreign function.
    Arguments,
    /// The body of a response that stands in for the answer to an HTTP callout.
    CalloutBody,
}

/// Everything that the running callback brought along.
#[derive(Default)]
pub(super) struct Received {
    /// Maps, by what they are.
    pub(super) maps: Vec<(ReceivedMap, FlatMap)>,
    /// Bytes and what they are.
    pub(super) bytes: Option<(ReceivedBytes, Vec<u8>)>,
    /// The HTTP callout whose body can be read.
    pub(super) callout: Option<CalloutId>,
}

thread_local! {
    static RECEIVED: RefCell<Received> =
        const { RefCell::new(Received { maps: Vec::new(), bytes: None, callout: None }) };
}

/// Runs a callback that brings this along.
pub(super) fn during<R>(received: Received, callback: impl FnOnce() -> R) -> R {
    RECEIVED.replace(received);
    let result = callback();
    RECEIVED.take();
    result
}

/// Reads a map, if the running callback brought it.
pub(crate) fn with_map<R>(map: ReceivedMap, read: impl FnOnce(&FlatMap) -> R) -> Option<R> {
    RECEIVED.with_borrow(|received| {
        let (_, found) = received.maps.iter().find(|(other, _)| *other == map)?;
        Some(read(found))
    })
}

/// Bytes, if the running callback brought them.
pub(crate) fn bytes(what: ReceivedBytes) -> Option<Vec<u8>> {
    RECEIVED.with_borrow(|received| {
        received
            .bytes
            .as_ref()
            .filter(|(other, _)| *other == what)
            .map(|(_, bytes)| bytes.clone())
    })
}

/// The HTTP callout that the running callback answers.
pub(crate) fn callout() -> Option<CalloutId> {
    RECEIVED.with_borrow(|received| received.callout)
}

/// Fields in serialized form.
pub(super) fn flat(fields: &Fields) -> FlatMap {
    FlatMap::new(pairs::encode(
        fields.iter().map(|(name, value)| (name, value)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_callback_brings_goes_with_it() {
        let fields = vec![("a".to_owned(), b"1".to_vec())];
        let maps = vec![(ReceivedMap::HttpHeaders, flat(&fields))];
        let bytes = Some((ReceivedBytes::Arguments, b"x".to_vec()));
        during(
            Received {
                maps,
                bytes,
                callout: Some(7),
            },
            || {
                assert_eq!(
                    with_map(ReceivedMap::HttpHeaders, |map| map.bytes().to_vec()),
                    Some(pairs::encode([("a", "1")]))
                );
                assert!(with_map(ReceivedMap::HttpTrailers, |_| ()).is_none());
                assert_eq!(super::bytes(ReceivedBytes::Arguments), Some(b"x".to_vec()));
                assert_eq!(super::bytes(ReceivedBytes::GrpcMessage), None);
                assert_eq!(callout(), Some(7));
            },
        );
        assert!(with_map(ReceivedMap::HttpHeaders, |_| ()).is_none());
        assert_eq!(callout(), None);
    }
}

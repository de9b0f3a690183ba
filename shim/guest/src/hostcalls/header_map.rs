//! Header maps (ABI reference 4.5).

pub(crate) mod field;

use proxy_wasi_abi::{AbiVersion, HeaderMapType, Status};

use self::field::Field;
use super::Answer;
use crate::active::{self, Phase};
use crate::bindings::proxy_wasm::plugin::http_headers::HeaderError;
use crate::bindings::proxy_wasm::plugin::plugin_types::{HeaderMap, StreamContext};
use crate::bindings::proxy_wasm::plugin::{flat_headers, http_stream};
use crate::callbacks::received::{self, ReceivedMap};
use crate::field_cache;
use crate::memory::{self, Input, Output};

/// Where a map is to be had.
enum Source {
    /// From the host: a map of a stream.
    Stream(StreamContext, HeaderMap),
    /// From the running callback: what a callout received.
    Received(ReceivedMap),
    /// Nowhere: there is no stream.
    Nowhere,
}

fn source(map: u32) -> Result<Source, Status> {
    let of_stream = |map| match active::effective().stream() {
        Some(stream) => Source::Stream(stream, map),
        None => Source::Nowhere,
    };
    Ok(
        match HeaderMapType::try_from(map).map_err(|_| Status::BadArgument)? {
            HeaderMapType::HttpRequestHeaders => of_stream(HeaderMap::RequestHeaders),
            HeaderMapType::HttpRequestTrailers => of_stream(HeaderMap::RequestTrailers),
            HeaderMapType::HttpResponseHeaders => of_stream(HeaderMap::ResponseHeaders),
            HeaderMapType::HttpResponseTrailers => of_stream(HeaderMap::ResponseTrailers),
            HeaderMapType::GrpcReceiveInitialMetadata => {
                Source::Received(ReceivedMap::GrpcInitialMetadata)
            }
            HeaderMapType::GrpcReceiveTrailingMetadata => {
                Source::Received(ReceivedMap::GrpcTrailingMetadata)
            }
            HeaderMapType::HttpCallResponseHeaders => Source::Received(ReceivedMap::HttpHeaders),
            HeaderMapType::HttpCallResponseTrailers => Source::Received(ReceivedMap::HttpTrailers),
        },
    )
}

/// `proxy_get_header_map_value`
pub(crate) fn get_value(map: u32, name: Input, value: Output) -> Answer {
    match source(map)? {
        Source::Stream(stream, map) => match field_cache::take(stream, map) {
            Ok(copy) => {
                let found = memory::with_inputs([name], |[name]| {
                    copy.find(field::name_in_flat_map(map, name))
                });
                let answer = found.map(|found| found.map(|range| value.give(copy.value(range))));
                field_cache::put_back(stream, map, copy);
                answer?.unwrap_or_else(|| missing(value))
            }
            Err(error) => memory::with_inputs([name], |_| not_readable(error, value))?,
        },
        Source::Received(map) => {
            let found = memory::with_inputs([name], |[name]| {
                received::with_map(map, |map| {
                    map.find(name).map(|range| map.value(range).to_vec())
                })
            })?;
            match found {
                Some(Some(found)) => value.give(&found),
                Some(None) => missing(value),
                None => not_readable(HeaderError::Unavailable, value),
            }
        }
        Source::Nowhere => {
            memory::with_inputs([name], |_| not_readable(HeaderError::Unavailable, value))?
        }
    }
}

/// The map is not to be had. When the stream is logged, that reads as a field that is not there.
fn not_readable(error: HeaderError, value: Output) -> Answer {
    let is_gone = matches!(error, HeaderError::UnknownStream | HeaderError::Unavailable);
    if is_gone && active::phase() == Phase::Log {
        missing(value)
    } else {
        Err(refusal(error))
    }
}

/// A field is not there: in 0.1.0 that reads as a null value, and a status makes old SDKs panic.
fn missing(value: Output) -> Answer {
    if active::version() == AbiVersion::V0_1_0 {
        value.give_nothing()
    } else {
        Err(Status::NotFound)
    }
}

/// `proxy_get_header_map_pairs`
pub(crate) fn get_pairs(map: u32, pairs: Output) -> Answer {
    match source(map)? {
        Source::Stream(stream, map) => match flat_headers::entries(stream, map) {
            Ok(entries) => give_pairs(&entries, pairs),
            // Unlike the value, the whole of a map that is not there reads as empty.
            Err(_) => pairs.give_nothing(),
        },
        Source::Received(map) => match received::with_map(map, |map| map.bytes().to_vec()) {
            Some(entries) => give_pairs(&entries, pairs),
            None => pairs.give_nothing(),
        },
        Source::Nowhere => pairs.give_nothing(),
    }
}

/// Hands a map over; an empty one as a null pointer.
fn give_pairs(entries: &[u8], pairs: Output) -> Answer {
    if entries.len() <= 4 {
        pairs.give_nothing()
    } else {
        pairs.give(entries)
    }
}

/// `proxy_get_header_map_size`
pub(crate) fn get_size(map: u32, result: u32) -> Answer {
    let size = match source(map)? {
        Source::Stream(stream, map) => flat_headers::byte_size(stream, map).map_err(refusal)?,
        // Envoy asks for the size through the accessor of what is writable.
        Source::Received(_) | Source::Nowhere => return Err(Status::BadArgument),
    };
    memory::store_u32(result, size)
}

/// `proxy_add_header_map_value`
pub(crate) fn add(map: u32, name: Input, value: Input) -> Answer {
    edit(map, [name, value], |stream, map, [name, value]| {
        Field::of(map, name).append(stream, map, value)
    })
}

/// `proxy_replace_header_map_value`
pub(crate) fn replace(map: u32, name: Input, value: Input) -> Answer {
    edit(map, [name, value], |stream, map, [name, value]| {
        Field::of(map, name).set(stream, map, value)
    })
}

/// `proxy_remove_header_map_value`
pub(crate) fn remove(map: u32, name: Input) -> Answer {
    edit(map, [name], |stream, map, [name]| {
        Field::of(map, name).remove(stream, map)
    })
}

/// `proxy_set_header_map_pairs`
pub(crate) fn set_pairs(map: u32, pairs: Input) -> Answer {
    edit(map, [pairs], |stream, map, [pairs]| {
        flat_headers::set_entries(stream, map, &field::normalized(map, pairs))
    })
}

/// Runs an edit of a stream's map on its arguments.
#[inline]
fn edit<const N: usize>(
    map: u32,
    inputs: [Input; N],
    edit: impl FnOnce(StreamContext, HeaderMap, [&[u8]; N]) -> Result<(), HeaderError>,
) -> Answer {
    match source(map)? {
        Source::Stream(stream, map) => {
            memory::with_inputs(inputs, |inputs| edit(stream, map, inputs))?.map_err(refusal)?;
            field_cache::forget(stream, map);
            if map == HeaderMap::RequestHeaders && active::version() == AbiVersion::V0_1_0 {
                // What a 0.1.0 module does to the request's head has its route chosen again.
                http_stream::clear_route_cache(stream);
            }
            Ok(())
        }
        Source::Received(_) | Source::Nowhere => {
            memory::with_inputs(inputs, |_| Err(Status::BadArgument))?
        }
    }
}

fn refusal(error: HeaderError) -> Status {
    match error {
        HeaderError::UnknownStream
        | HeaderError::Unavailable
        | HeaderError::InvalidName
        | HeaderError::InvalidValue => Status::BadArgument,
        HeaderError::TooLarge => Status::InternalFailure,
    }
}

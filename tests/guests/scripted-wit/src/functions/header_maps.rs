//! Fields of messages and of callouts' answers, and start lines (ABI reference 4.5).

use conformance_script::Answer;

use super::{Answered, named, stream_of, text};
use crate::bindings::proxy_wasm::plugin::plugin_types::HeaderMap;
use crate::bindings::proxy_wasm::plugin::{
    flat_headers, http_callout, http_headers, http_start_line,
};
use crate::bindings::wasi::http::types::{Method, Scheme};
use crate::machine::{Context, Typed, Value};

use Value::{Bytes, Number};

/// Calls one of these functions.
pub(super) fn call(context: Context, function: &str, args: &[Value]) -> Option<Answered> {
    let ok = Answer::status(0);
    let stream = stream_of(context);
    let answer = match (function, args) {
        ("get_header_map_value", [Number(4 | 5), Bytes(name)]) => {
            match Typed::metadata(&text(name)) {
                Some(value) => ok.bytes(&value),
                None => Answer::status("none"),
            }
        }
        ("get_header_map_value", [Number(map), Bytes(name)]) => {
            match named!(get(stream, *map, name)) {
                Some(value) => ok.bytes(&value),
                None => Answer::status("none"),
            }
        }
        ("get_header_map_values", [Number(map), Bytes(name)]) => {
            let values = named!(http_headers::get_all(stream, map_of(*map), &text(name)));
            values.iter().fold(ok, |answer, value| answer.bytes(value))
        }
        ("get_header_map_pairs", [Number(map)]) => {
            ok.bytes(&named!(flat_headers::entries(stream, map_of(*map))))
        }
        ("add_header_map_value", [Number(map), Bytes(name), Bytes(value)]) => {
            named!(http_headers::append(
                stream,
                map_of(*map),
                &text(name),
                value
            ));
            ok
        }
        ("replace_header_map_value", [Number(map), Bytes(name), Bytes(value)]) => {
            named!(set(stream, *map, name, value));
            ok
        }
        ("remove_header_map_value", [Number(map), Bytes(name)]) => {
            named!(remove(stream, *map, name));
            ok
        }
        ("set_header_map_pairs", [Number(map), Bytes(pairs)]) => {
            named!(flat_headers::set_entries(stream, map_of(*map), pairs));
            ok
        }
        _ => return None,
    };
    Some((answer, None))
}

fn map_of(number: i64) -> HeaderMap {
    match number {
        0 => HeaderMap::RequestHeaders,
        1 => HeaderMap::RequestTrailers,
        2 => HeaderMap::ResponseHeaders,
        _ => HeaderMap::ResponseTrailers,
    }
}

type Found = Result<Option<Vec<u8>>, http_headers::HeaderError>;

fn get(stream: u64, map: i64, name: &[u8]) -> Found {
    let bytes = |text: String| text.into_bytes();
    if map == 6 || map == 7 {
        return Ok(of_callout(map, &text(name)));
    }
    Ok(match name {
        b":path" => http_start_line::get_path_with_query(stream)?.map(bytes),
        b":authority" => http_start_line::get_authority(stream)?.map(bytes),
        b":method" => http_start_line::get_method(stream)?
            .map(|method| match method {
                Method::Other(other) => other,
                Method::Get => "GET".to_owned(),
                Method::Head => "HEAD".to_owned(),
                Method::Post => "POST".to_owned(),
                Method::Put => "PUT".to_owned(),
                Method::Delete => "DELETE".to_owned(),
                Method::Connect => "CONNECT".to_owned(),
                Method::Options => "OPTIONS".to_owned(),
                Method::Trace => "TRACE".to_owned(),
                Method::Patch => "PATCH".to_owned(),
            })
            .map(bytes),
        b":scheme" => http_start_line::get_scheme(stream)?
            .map(|scheme| match scheme {
                Scheme::Http => "http".to_owned(),
                Scheme::Https => "https".to_owned(),
                Scheme::Other(other) => other,
            })
            .map(bytes),
        b":status" => http_start_line::get_status(stream)?.map(|status| bytes(status.to_string())),
        name => http_headers::get(stream, map_of(map), &text(name))?,
    })
}

/// A field of a callout's answer.
fn of_callout(map: i64, name: &str) -> Option<Vec<u8>> {
    let id = Typed::callout()?;
    if name == ":status" {
        return http_callout::response_status(id).map(|status| status.to_string().into_bytes());
    }
    let fields = match map {
        6 => http_callout::response_headers(id),
        _ => http_callout::response_trailers(id),
    };
    fields
        .into_iter()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value)
}

fn set(stream: u64, map: i64, name: &[u8], value: &[u8]) -> Result<(), http_headers::HeaderError> {
    match name {
        b":path" => http_start_line::set_path_with_query(stream, Some(&text(value))),
        b":authority" => http_start_line::set_authority(stream, Some(&text(value))),
        b":method" => http_start_line::set_method(stream, Some(&Method::Other(text(value)))),
        b":status" => http_start_line::set_status(stream, text(value).parse().ok()),
        name => http_headers::set(stream, map_of(map), &text(name), value),
    }
}

fn remove(stream: u64, map: i64, name: &[u8]) -> Result<(), http_headers::HeaderError> {
    match name {
        b":path" => http_start_line::set_path_with_query(stream, None),
        b":authority" => http_start_line::set_authority(stream, None),
        b":method" => http_start_line::set_method(stream, None),
        b":status" => http_start_line::set_status(stream, None),
        name => http_headers::remove(stream, map_of(map), &text(name)),
    }
}

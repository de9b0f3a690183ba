//! The functions that a script can name, on the contract.

mod callouts;

use std::cell::RefCell;
use std::collections::HashMap;

use conformance_script::Answer;

use crate::bindings::proxy_wasm::plugin::http_callout;
use crate::bindings::proxy_wasm::plugin::http_stream::{self, LocalResponse};
use crate::bindings::proxy_wasm::plugin::metrics::{Counter, Gauge, Histogram};
use crate::bindings::proxy_wasm::plugin::plugin_types::{Direction, HeaderMap, Interest};
use crate::bindings::proxy_wasm::plugin::property::{self, PropertyValue};
use crate::bindings::proxy_wasm::plugin::shared_queue::Queue;
use crate::bindings::proxy_wasm::plugin::{
    flat_headers, foreign_function, http_body, http_headers, http_start_line, root_control,
    shared_data, timer,
};
use crate::bindings::wasi::http::types::{Method, Scheme};
use crate::machine::{Context, Typed, Value};

use Value::{Bytes, Number};

enum Metric {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

thread_local! {
    static METRICS: RefCell<Vec<Metric>> = const { RefCell::new(Vec::new()) };
    static QUEUES: RefCell<HashMap<u32, Queue>> = RefCell::default();
}

/// A refusal, by the contract's name.
macro_rules! named {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return (Answer::status(error.name()), None),
        }
    };
}
use named;

/// Calls a function. Returns its answer, and the number in it that a script may name.
pub(crate) fn call(context: Context, function: &str, args: &[Value]) -> (Answer, Option<i64>) {
    let ok = Answer::status(0);
    // Functions of streams refuse a number that is none.
    let stream = context.stream.unwrap_or(u64::MAX >> 11);
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
        ("get_buffer_bytes", [Number(5 | 8), Number(_), Number(_)]) => ok.bytes(&Typed::message()),
        ("get_buffer_bytes", [Number(4), Number(start), Number(count)]) => {
            let Some(id) = Typed::callout() else {
                return (Answer::status("unavailable"), None);
            };
            ok.bytes(&http_callout::response_body(
                id,
                *start as u32,
                *count as u32,
            ))
        }
        ("get_buffer_bytes", [Number(buffer), Number(start), Number(count)]) => {
            let (start, count) = (*start as u32, *count as u32);
            ok.bytes(&named!(http_body::read(
                stream,
                message(*buffer),
                start,
                count
            )))
        }
        ("get_buffer_status", [Number(buffer)]) => {
            ok.number(named!(http_body::size(stream, message(*buffer))))
        }
        ("set_buffer_bytes", [Number(buffer), Number(start), Number(count), Bytes(data)]) => {
            let (start, count) = (*start as u32, *count as u32);
            let of = message(*buffer);
            named!(http_body::splice(stream, of, start, count, data));
            ok
        }
        ("continue_stream", [Number(of)]) => {
            http_stream::resume(stream, message(*of));
            ok
        }
        ("narrow_interest", [Bytes(_)]) => {
            http_stream::narrow_interest(stream, Interest::empty());
            ok
        }
        ("close_stream", [Number(_)]) => {
            http_stream::reset(stream);
            ok
        }
        ("clear_route_cache", []) => {
            http_stream::clear_route_cache(stream);
            ok
        }
        (
            "send_local_response",
            [
                Number(status),
                Bytes(details),
                Bytes(body),
                Bytes(headers),
                Number(grpc_status),
            ],
        ) => {
            let response = LocalResponse {
                status: u16::try_from(*status).unwrap_or(0),
                details: text(details),
                body: body.clone(),
                headers: pairs(headers),
                grpc_status: u32::try_from(*grpc_status).ok(),
            };
            named!(http_stream::send_local_response(stream, &response));
            ok
        }
        ("get_property", [Bytes(path)]) => {
            let path: Vec<_> = text(path).split('\0').map(str::to_owned).collect();
            let value = match context.stream {
                Some(stream) => property::get(stream, &path),
                None => property::get_of_root(context.root, &path),
            };
            shown(ok, named!(value))
        }
        ("set_property", [Bytes(name), Bytes(value)]) => {
            named!(property::set(stream, &text(name), value));
            ok
        }
        ("get_shared_data", [Bytes(key)]) => {
            let (value, cas) = named!(shared_data::get(key));
            return (ok.bytes(&value).number(cas), Some(cas.into()));
        }
        ("set_shared_data", [Bytes(key), Bytes(value), Number(cas)]) => {
            named!(shared_data::set(key, value, *cas as u32));
            ok
        }
        ("register_shared_queue", [Bytes(name)]) => {
            let queue = named!(Queue::register(context.root, &text(name)));
            return opened(queue);
        }
        ("resolve_shared_queue", [Bytes(vm_id), Bytes(name)]) => {
            let queue = named!(Queue::resolve(&text(vm_id), &text(name)));
            return opened(queue);
        }
        ("enqueue_shared_queue", [Number(token), Bytes(item)]) => {
            let queued = QUEUES.with_borrow(|queues| {
                let token = u32::try_from(*token).ok()?;
                Some(queues.get(&token)?.enqueue(item))
            });
            let Some(queued) = queued else {
                return (Answer::status("not-opened"), None);
            };
            named!(queued);
            ok
        }
        ("dequeue_shared_queue", [Number(token)]) => {
            let item = QUEUES.with_borrow(|queues| {
                let token = u32::try_from(*token).ok()?;
                Some(queues.get(&token)?.dequeue())
            });
            let Some(item) = item else {
                return (Answer::status("not-opened"), None);
            };
            match named!(item) {
                Some(item) => ok.bytes(&item),
                None => Answer::status("none"),
            }
        }
        ("set_tick_period_milliseconds", [Number(period)]) => {
            let period = u64::try_from(*period).ok().filter(|period| *period > 0);
            let period = period.map(|period| period * 1_000_000);
            named!(timer::set_tick_period(context.root, period));
            ok
        }
        ("call_foreign_function", [Bytes(name), Bytes(input)]) => {
            let result = foreign_function::call(context.root, context.stream, &text(name), input);
            ok.bytes(&named!(result))
        }
        ("define_metric", [Number(kind), Bytes(name)]) => return define(*kind, &text(name)),
        ("increment_metric", [Number(id), Number(delta)]) => with_metric(*id, |metric| {
            match metric {
                Metric::Counter(counter) => counter.add(delta.unsigned_abs()),
                Metric::Gauge(gauge) if *delta < 0 => gauge.subtract(delta.unsigned_abs()),
                Metric::Gauge(gauge) => gauge.add(delta.unsigned_abs()),
                Metric::Histogram(_) => return Answer::status("no-such-function"),
            }
            Answer::status(0)
        }),
        ("record_metric", [Number(id), Number(value)]) => with_metric(*id, |metric| {
            match metric {
                Metric::Counter(_) => return Answer::status("no-such-function"),
                Metric::Gauge(gauge) => gauge.set(*value as u64),
                Metric::Histogram(histogram) => histogram.observe(*value as u64),
            }
            Answer::status(0)
        }),
        ("get_metric", [Number(id)]) => with_metric(*id, |metric| match metric {
            Metric::Counter(counter) => Answer::status(0).number(counter.value()),
            Metric::Gauge(gauge) => Answer::status(0).number(gauge.value()),
            Metric::Histogram(_) => Answer::status("no-such-function"),
        }),
        ("done", []) => Answer::status(if root_control::done(context.root) {
            "0"
        } else {
            "not-waiting"
        }),
        ("log", [Number(_), Bytes(line)]) => {
            crate::machine::log(&text(line));
            ok
        }
        _ => return callouts::call(context, function, args),
    };
    (answer, None)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn map_of(number: i64) -> HeaderMap {
    match number {
        0 => HeaderMap::RequestHeaders,
        1 => HeaderMap::RequestTrailers,
        2 => HeaderMap::ResponseHeaders,
        _ => HeaderMap::ResponseTrailers,
    }
}

fn message(number: i64) -> Direction {
    match number {
        0 => Direction::Request,
        _ => Direction::Response,
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

/// The pairs of a serialized map.
fn pairs(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    let mut pairs = Vec::new();
    let count = word(0).unwrap_or(0);
    let mut at = 4 + 8 * count;
    for pair in 0..count {
        let (Some(name), Some(value)) = (word(4 + 8 * pair), word(8 + 8 * pair)) else {
            break;
        };
        let mut take = |len: usize| {
            let taken = bytes.get(at..at + len).unwrap_or_default().to_vec();
            at += len + 1;
            taken
        };
        pairs.push((text(&take(name)), take(value)));
    }
    pairs
}

/// A property's value: its type, and what is in it.
fn shown(ok: Answer, value: PropertyValue) -> Answer {
    match value {
        PropertyValue::Text(text) => ok.word("text").bytes(text.as_bytes()),
        PropertyValue::Bytes(bytes) => ok.word("bytes").bytes(&bytes),
        PropertyValue::Signed(number) => ok.word("signed").number(number),
        PropertyValue::Unsigned(number) => ok.word("unsigned").number(number),
        PropertyValue::Floating(number) => ok.word("floating").number(number),
        PropertyValue::Boolean(truth) => ok.word("boolean").number(u8::from(truth)),
        PropertyValue::Timestamp(time) => ok.word("timestamp").number(time),
        PropertyValue::Span(span) => ok.word("span").number(span),
        PropertyValue::Entries(entries) => entries
            .iter()
            .fold(ok.word("entries"), |answer, (name, value)| {
                answer.bytes(name).bytes(value)
            }),
        PropertyValue::Message(bytes) => ok.word("message").bytes(&bytes),
    }
}

fn opened(queue: Queue) -> (Answer, Option<i64>) {
    let token = queue.token();
    QUEUES.with_borrow_mut(|queues| queues.insert(token, queue));
    (Answer::status(0).number(token), Some(token.into()))
}

fn define(kind: i64, name: &str) -> (Answer, Option<i64>) {
    let metric = match kind {
        0 => Metric::Counter(named!(Counter::define(name))),
        1 => Metric::Gauge(named!(Gauge::define(name))),
        _ => Metric::Histogram(named!(Histogram::define(name))),
    };
    let id = METRICS.with_borrow_mut(|metrics| {
        metrics.push(metric);
        metrics.len() as i64
    });
    (Answer::status(0), Some(id))
}

fn with_metric(id: i64, act: impl FnOnce(&Metric) -> Answer) -> Answer {
    METRICS.with_borrow(|metrics| {
        let metric = usize::try_from(id - 1).ok().and_then(|at| metrics.get(at));
        metric.map_or_else(|| Answer::status("not-defined"), act)
    })
}

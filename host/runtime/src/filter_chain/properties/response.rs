//! `response`: its head, its size, how it came about.

use proxy_wasi_stream::{FilterIndex, ResponseHead, grpc_status_of};

use super::value::{Found, bytes, duration, entries, entry, integer, joined, size, sum, text};
use crate::filter_chain::exchange::Exchange;
use crate::upstream::UpstreamErrorKind;
use crate::vm::PropertyValue;

pub(super) fn get(exchange: &Exchange, filter: FilterIndex, path: &[&str]) -> Found {
    let traffic = &exchange.traffic;
    match path {
        ["size"] => Some(integer(traffic.sent())),
        ["flags"] => Some(integer(traffic.failure().map_or(0, flags))),
        ["backend_latency"] => traffic.latency().map(duration),
        _ => exchange.ask(|machine| {
            let head = machine.seen_response_head(filter);
            let trailers = machine.seen_response_trailers(filter);
            match path {
                ["code"] => {
                    let status = machine.peek_response_head()?.status?;
                    Some(integer(status.as_u16()))
                }
                ["code_details"] => machine
                    .response_details()
                    .or_else(|| traffic.has_answer().then_some("via_upstream"))
                    .map(text),
                ["grpc_status"] => {
                    let of = |headers: &http::HeaderMap| grpc_status(headers);
                    let status = trailers
                        .and_then(of)
                        .or_else(|| head.and_then(|head| of(&head.headers)));
                    let code =
                        || Some(grpc_status_of(machine.peek_response_head()?.status?).into());
                    status.or_else(code).map(integer)
                }
                ["total_size"] => {
                    let heads = head.map_or(0, byte_size) + trailers.map_or(0, |t| size(t.iter()));
                    Some(sum([traffic.sent(), heads as u64]))
                }
                ["trailers"] => Some(PropertyValue::Entries(entries(trailers?.iter()).collect())),
                ["trailers", name] => joined(trailers?, name),
                _ => of_head(head?, path),
            }
        }),
    }
}

fn of_head(head: &ResponseHead, path: &[&str]) -> Found {
    match path {
        ["headers"] => {
            let status = head
                .status
                .as_ref()
                .map(|status| entry(":status", status.as_str().as_bytes()));
            let all = status.into_iter().chain(entries(head.headers.iter()));
            Some(PropertyValue::Entries(all.collect()))
        }
        ["headers", ":status"] => Some(bytes(head.status?.as_str().into())),
        ["headers", name] => joined(&head.headers, name),
        ["headers_bytes"] => Some(integer(byte_size(head) as u64)),
        _ => None,
    }
}

fn byte_size(head: &ResponseHead) -> usize {
    let status = head
        .status
        .map_or(0, |status| ":status".len() + status.as_str().len());
    status + size(head.headers.iter())
}

/// What `grpc-status` says; -1 if that is no status.
fn grpc_status(headers: &http::HeaderMap) -> Option<i64> {
    let value = headers.get("grpc-status")?;
    let status = value.to_str().ok().and_then(|text| text.parse().ok());
    Some(
        status
            .filter(|status| (0..=16).contains(status))
            .unwrap_or(-1),
    )
}

/// Envoy's response flags, as bits.
fn flags(failure: UpstreamErrorKind) -> i64 {
    const NO_HEALTHY_UPSTREAM: i64 = 1 << 1;
    const UPSTREAM_REQUEST_TIMEOUT: i64 = 1 << 2;
    const UPSTREAM_CONNECTION_FAILURE: i64 = 1 << 5;
    const UPSTREAM_CONNECTION_TERMINATION: i64 = 1 << 6;
    const UPSTREAM_OVERFLOW: i64 = 1 << 7;
    const DOWNSTREAM_CONNECTION_TERMINATION: i64 = 1 << 14;
    const STREAM_IDLE_TIMEOUT: i64 = 1 << 16;
    const UPSTREAM_PROTOCOL_ERROR: i64 = 1 << 23;
    match failure {
        UpstreamErrorKind::Resolve => NO_HEALTHY_UPSTREAM,
        UpstreamErrorKind::Connect | UpstreamErrorKind::Tls | UpstreamErrorKind::ConnectTimeout => {
            UPSTREAM_CONNECTION_FAILURE
        }
        UpstreamErrorKind::Overloaded => UPSTREAM_OVERFLOW,
        UpstreamErrorKind::Reset => UPSTREAM_CONNECTION_TERMINATION,
        UpstreamErrorKind::ResponseTimeout => UPSTREAM_REQUEST_TIMEOUT,
        UpstreamErrorKind::IdleTimeout | UpstreamErrorKind::RequestTimeout => STREAM_IDLE_TIMEOUT,
        UpstreamErrorKind::NoHttp2 | UpstreamErrorKind::Protocol => UPSTREAM_PROTOCOL_ERROR,
        UpstreamErrorKind::Request | UpstreamErrorKind::RequestBody => {
            DOWNSTREAM_CONNECTION_TERMINATION
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn grpc_statuses() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", HeaderValue::from_static(value));
            grpc_status(&headers)
        };
        let table = [
            ("0", 0),
            ("16", 16),
            ("17", -1),
            ("-1", -1),
            ("x", -1),
            ("", -1),
        ];
        for (value, expected) in table {
            assert_eq!(of(value), Some(expected), "{value}");
        }
        assert_eq!(grpc_status(&HeaderMap::new()), None);
    }

    #[test]
    fn the_whole_map_begins_with_the_status() {
        let mut head = ResponseHead {
            status: Some(StatusCode::NOT_FOUND),
            ..ResponseHead::default()
        };
        head.headers.append("x-a", HeaderValue::from_static("1"));
        head.headers.append("x-a", HeaderValue::from_static("2"));
        let Some(PropertyValue::Entries(entries)) = of_head(&head, &["headers"]) else {
            panic!("no map");
        };
        let expected = [(":status", "404"), ("x-a", "1"), ("x-a", "2")];
        assert_eq!(
            entries,
            expected.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        );
        assert_eq!(byte_size(&head), 7 + 3 + 2 * 4);
        let one = of_head(&head, &["headers", "x-a"]);
        assert!(matches!(one, Some(PropertyValue::Text(text)) if text == "1,2"));
    }
}

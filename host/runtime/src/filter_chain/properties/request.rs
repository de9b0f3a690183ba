//! `request`: its head, its size, its time.

use std::time::UNIX_EPOCH;

use http::Version;
use proxy_wasi_stream::{FilterIndex, RequestHead};

use super::value::{Found, bytes, duration, entries, entry, integer, joined, size, sum, text};
use crate::filter_chain::exchange::Exchange;
use crate::vm::PropertyValue;

pub(super) fn get(exchange: &Exchange, filter: FilterIndex, path: &[&str]) -> Found {
    let traffic = &exchange.traffic;
    match path {
        ["protocol"] => Some(text(protocol(exchange.facts.version)?)),
        ["time"] => {
            let since = traffic.began_at().duration_since(UNIX_EPOCH).ok()?;
            let nanos = i64::try_from(since.as_nanos()).ok()?;
            Some(PropertyValue::Timestamp(nanos))
        }
        // The exchange as a whole, so it has none while it runs.
        ["duration"] => exchange.is_over().then(|| duration(traffic.took())),
        _ => exchange.ask(|machine| {
            let head = machine.seen_request_head(filter);
            match path {
                ["size"] => {
                    let declared = head.and_then(|head| length(&head.headers));
                    Some(integer(declared.unwrap_or_else(|| traffic.received())))
                }
                ["total_size"] => Some(sum([
                    traffic.received(),
                    head.map_or(0, |head| byte_size(head) as u64),
                ])),
                _ => of_head(head?, path),
            }
        }),
    }
}

fn of_head(head: &RequestHead, path: &[&str]) -> Found {
    match path {
        ["path"] => Some(text(head.path.as_ref()?)),
        ["url_path"] => Some(text(head.path.as_ref()?.path())),
        ["query"] => Some(text(head.path.as_ref()?.query().unwrap_or(""))),
        ["host"] => Some(bytes(head.authority()?.as_bytes().to_vec())),
        ["scheme"] => Some(text(head.scheme.as_ref()?)),
        ["method"] => Some(text(head.method.as_ref()?)),
        ["referer"] => joined(&head.headers, "referer"),
        ["useragent"] => joined(&head.headers, "user-agent"),
        ["id"] => joined(&head.headers, "x-request-id"),
        ["headers"] => Some(all(head)),
        ["headers", name] => header(head, name),
        ["headers_bytes"] => Some(integer(byte_size(head) as u64)),
        _ => None,
    }
}

fn protocol(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("HTTP/1.0"),
        Version::HTTP_11 => Some("HTTP/1.1"),
        Version::HTTP_2 => Some("HTTP/2"),
        Version::HTTP_3 => Some("HTTP/3"),
        _ => None,
    }
}

/// The pseudo-headers that there are, in the order in which Envoy shows them.
fn pseudo(head: &RequestHead) -> impl Iterator<Item = (&'static str, &[u8])> {
    let authority = head.authority().map(|value| value.as_bytes());
    let path = head.path.as_ref().map(|path| path.as_str().as_bytes());
    let method = head
        .method
        .as_ref()
        .map(|method| method.as_str().as_bytes());
    let scheme = head
        .scheme
        .as_ref()
        .map(|scheme| scheme.as_str().as_bytes());
    [
        (":authority", authority),
        (":path", path),
        (":method", method),
        (":scheme", scheme),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

/// `host` is the authority, as in Envoy.
fn header(head: &RequestHead, name: &str) -> Found {
    if name.starts_with(':') {
        let (_, value) = pseudo(head).find(|(known, _)| *known == name)?;
        return Some(bytes(value.to_vec()));
    }
    joined(&head.headers, name)
}

fn all(head: &RequestHead) -> PropertyValue {
    let pseudo = pseudo(head).map(|(name, value)| entry(name, value));
    PropertyValue::Entries(pseudo.chain(entries(head.fields())).collect())
}

fn byte_size(head: &RequestHead) -> usize {
    let pseudo: usize = pseudo(head)
        .map(|(name, value)| name.len() + value.len())
        .sum();
    pseudo + size(head.fields())
}

/// The declared length of the body.
fn length(headers: &http::HeaderMap) -> Option<u64> {
    let value = headers.get(http::header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::header::{HOST, HeaderValue};
    use http::uri::{PathAndQuery, Scheme};
    use http::{HeaderMap, Method};

    use super::*;

    fn head() -> RequestHead {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "example.com"),
            ("x-a", "1"),
            ("x-b", ""),
            ("x-a", "2"),
            ("user-agent", "curl"),
            ("x-request-id", "id"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers.append("x-bytes", HeaderValue::from_bytes(b"\xff").unwrap());
        RequestHead {
            method: Some(Method::GET),
            scheme: Some(Scheme::HTTPS),
            path: Some(PathAndQuery::from_static("/a/b?c=d&e")),
            headers,
        }
    }

    fn shown(path: &[&str]) -> Option<Vec<u8>> {
        let value = of_head(&head(), path)?;
        if let PropertyValue::Text(text) = value {
            Some(text.into_bytes())
        } else if let PropertyValue::Bytes(bytes) = value {
            Some(bytes)
        } else {
            panic!("{value:?} is no text");
        }
    }

    #[test]
    fn texts() {
        let table: &[(&[&str], Option<&[u8]>)] = &[
            (&["path"], Some(b"/a/b?c=d&e")),
            (&["url_path"], Some(b"/a/b")),
            (&["query"], Some(b"c=d&e")),
            (&["host"], Some(b"example.com")),
            (&["scheme"], Some(b"https")),
            (&["method"], Some(b"GET")),
            (&["useragent"], Some(b"curl")),
            (&["id"], Some(b"id")),
            (&["referer"], None),
            (&["headers", "x-a"], Some(b"1,2")),
            (&["headers", "x-b"], Some(b"")),
            (&["headers", "x-bytes"], Some(b"\xff")),
            (&["headers", "host"], Some(b"example.com")),
            (&["headers", ":authority"], Some(b"example.com")),
            (&["headers", ":path"], Some(b"/a/b?c=d&e")),
            (&["headers", ":method"], Some(b"GET")),
            (&["headers", ":scheme"], Some(b"https")),
            (&["headers", ":status"], None),
            (&["headers", "x-c"], None),
            (&["headers", "x-a", "y"], None),
            (&["path", "x"], None),
            (&["none"], None),
        ];
        for (path, expected) in table {
            assert_eq!(shown(path).as_deref(), *expected, "{path:?}");
        }
    }

    #[test]
    fn a_path_without_query_has_an_empty_one() {
        let mut head = head();
        head.path = Some(PathAndQuery::from_static("/a"));
        let query = of_head(&head, &["query"]);
        assert!(matches!(query, Some(PropertyValue::Text(text)) if text.is_empty()));
        head.path = None;
        assert!(of_head(&head, &["query"]).is_none());
    }

    #[test]
    fn the_whole_map_begins_with_the_start_line() {
        let Some(PropertyValue::Entries(entries)) = of_head(&head(), &["headers"]) else {
            panic!("no map");
        };
        let names: Vec<_> = entries
            .iter()
            .map(|(name, _)| std::str::from_utf8(name).unwrap())
            .collect();
        assert_eq!(names[..4], [":authority", ":path", ":method", ":scheme"]);
        assert!(!names.contains(&HOST.as_str()));
        assert_eq!(names.iter().filter(|name| **name == "x-a").count(), 2);
        let bytes: usize = entries
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        assert_eq!(byte_size(&head()), bytes);
    }
}

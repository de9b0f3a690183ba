//! Properties of a stream (ABI 10): what a reverse proxy knows of Envoy's attributes, and what plugins set.

use std::time::UNIX_EPOCH;

use http::{HeaderName, Version, header};
use proxy_wasi_stream::{FilterIndex, MapKind, RequestHead, Stream};

use super::exchange::Exchange;
use crate::vm::{PropertyError, PropertyValue};

/// Properties that plugins may set in one stream.
const MAX_PROPERTIES: usize = 128;
/// Bytes of names and values that they may take.
const MAX_PROPERTY_BYTES: usize = 64 * 1024;

/// What plugins have set, for the rest of the stream.
#[derive(Debug, Default)]
pub(crate) struct SetProperties {
    values: Vec<(String, Vec<u8>)>,
    bytes: usize,
}

impl SetProperties {
    pub(crate) fn set(&mut self, name: &str, value: &[u8]) -> Result<(), PropertyError> {
        let old = self.values.iter().position(|(known, _)| known == name);
        let freed = old
            .and_then(|at| self.values.get(at))
            .map_or(0, |(name, value)| name.len() + value.len());
        let bytes = self.bytes - freed + name.len() + value.len();
        if bytes > MAX_PROPERTY_BYTES || (old.is_none() && self.values.len() >= MAX_PROPERTIES) {
            return Err(PropertyError::LimitReached);
        }
        self.bytes = bytes;
        match old.and_then(|at| self.values.get_mut(at)) {
            Some((_, slot)) => *slot = value.to_vec(),
            None => self.values.push((name.to_owned(), value.to_vec())),
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }
}

/// Looks a property up.
pub(crate) fn get(
    exchange: &Exchange,
    filter: usize,
    path: &[&str],
) -> Result<PropertyValue, PropertyError> {
    if path.is_empty() {
        return Err(PropertyError::NotSerializable);
    }
    known(exchange, FilterIndex(filter), path)
        .or_else(|| match path {
            [name] => exchange.set_property_value(name),
            _ => None,
        })
        .ok_or(PropertyError::NotFound)
}

fn known(exchange: &Exchange, filter: FilterIndex, path: &[&str]) -> Option<PropertyValue> {
    match path {
        ["request", rest @ ..] => request(exchange, filter, rest),
        ["response", rest @ ..] => response(exchange, filter, rest),
        ["source", "address"] => Some(text(exchange.facts.connection.peer)),
        ["source", "port"] => Some(PropertyValue::Signed(
            exchange.facts.connection.peer.port().into(),
        )),
        ["destination", "address"] => Some(text(exchange.facts.connection.local)),
        ["destination", "port"] => Some(PropertyValue::Signed(
            exchange.facts.connection.local.port().into(),
        )),
        ["connection", "id"] | ["connection_id"] => {
            Some(PropertyValue::Unsigned(exchange.facts.connection.id))
        }
        // No TLS downstream: nobody has shown a certificate.
        ["connection", "mtls"] => Some(PropertyValue::Boolean(false)),
        ["connection", "requested_server_name"] => Some(text("")),
        ["upstream", "address"] => Some(text(exchange.cluster()?.authority())),
        ["upstream", "port"] => Some(PropertyValue::Signed(
            exchange.cluster()?.authority().port_u16()?.into(),
        )),
        ["xds", "cluster_name"] | ["cluster_name"] => {
            Some(text(exchange.route()?.cluster()?.name()))
        }
        ["xds", "route_name"] | ["route_name"] => Some(text(exchange.route()?.name())),
        _ => None,
    }
}

fn text(value: impl ToString) -> PropertyValue {
    PropertyValue::Text(value.to_string())
}

fn request(exchange: &Exchange, filter: FilterIndex, path: &[&str]) -> Option<PropertyValue> {
    match path {
        ["protocol"] => Some(text(protocol(exchange.facts.version)?)),
        ["time"] => {
            let since = exchange.facts.started.duration_since(UNIX_EPOCH).ok()?;
            Some(PropertyValue::Timestamp(
                i64::try_from(since.as_nanos()).ok()?,
            ))
        }
        _ => exchange.ask(|machine| {
            let head = machine.request_head(filter).ok()?;
            match path {
                ["path"] => Some(text(head.path.as_ref()?)),
                ["url_path"] => Some(text(head.path.as_ref()?.path())),
                ["query"] => Some(text(head.path.as_ref()?.query().unwrap_or(""))),
                ["host"] => Some(text(String::from_utf8_lossy(head.authority()?.as_bytes()))),
                ["scheme"] => Some(text(head.scheme.as_ref()?)),
                ["method"] => Some(text(head.method.as_ref()?)),
                ["referer"] => joined(&head.headers, "referer"),
                ["useragent"] => joined(&head.headers, "user-agent"),
                ["id"] => joined(&head.headers, "x-request-id"),
                ["headers", name] => request_header(head, name),
                ["headers"] => Some(request_entries(head)),
                ["size"] => length(&head.headers),
                ["headers_bytes"] => Some(PropertyValue::Signed(bytes(&head.headers))),
                _ => None,
            }
        }),
    }
}

fn response(exchange: &Exchange, filter: FilterIndex, path: &[&str]) -> Option<PropertyValue> {
    exchange.ask(|machine: &Stream| {
        let headers = || machine.fields(filter, MapKind::ResponseHeaders).ok();
        match path {
            ["code"] => {
                let status = machine.response_head(filter).ok()?.status?;
                Some(PropertyValue::Signed(status.as_u16().into()))
            }
            ["code_details"] => machine.response_details().map(text),
            ["headers", name] => joined(headers()?, name),
            ["headers"] => Some(entries(headers()?.iter())),
            ["trailers", name] => joined(
                machine.fields(filter, MapKind::ResponseTrailers).ok()?,
                name,
            ),
            ["trailers"] => Some(entries(
                machine
                    .fields(filter, MapKind::ResponseTrailers)
                    .ok()?
                    .iter(),
            )),
            ["size"] => length(headers()?),
            ["headers_bytes"] => Some(PropertyValue::Signed(bytes(headers()?))),
            _ => None,
        }
    })
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

fn request_header(head: &RequestHead, name: &str) -> Option<PropertyValue> {
    match name {
        ":authority" => joined(&head.headers, "host"),
        ":path" => Some(text(head.path.as_ref()?)),
        ":method" => Some(text(head.method.as_ref()?)),
        ":scheme" => Some(text(head.scheme.as_ref()?)),
        _ => joined(&head.headers, name),
    }
}

fn request_entries(head: &RequestHead) -> PropertyValue {
    entries(
        head.headers
            .iter()
            .filter(|(name, _)| *name != header::HOST),
    )
}

fn entries<'a>(
    fields: impl Iterator<Item = (&'a HeaderName, &'a http::HeaderValue)>,
) -> PropertyValue {
    PropertyValue::Entries(
        fields
            .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect(),
    )
}

/// All values of a field, joined with a comma (ABI 10).
fn joined(headers: &http::HeaderMap, name: &str) -> Option<PropertyValue> {
    let mut values = headers.get_all(name).iter();
    let mut all = values.next()?.as_bytes().to_vec();
    for value in values {
        all.push(b',');
        all.extend_from_slice(value.as_bytes());
    }
    // A field value need not be UTF-8; what a legacy plugin gets is the same bytes either way.
    Some(match String::from_utf8(all) {
        Ok(text) => PropertyValue::Text(text),
        Err(error) => PropertyValue::Bytes(error.into_bytes()),
    })
}

fn length(headers: &http::HeaderMap) -> Option<PropertyValue> {
    let length: i64 = headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(PropertyValue::Signed(length))
}

fn bytes(headers: &http::HeaderMap) -> i64 {
    let sum: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    i64::try_from(sum).unwrap_or(i64::MAX)
}

impl Exchange {
    fn set_property_value(&self, name: &str) -> Option<PropertyValue> {
        self.set_properties()
            .get(name)
            .map(|value| PropertyValue::Bytes(value.to_vec()))
    }
}

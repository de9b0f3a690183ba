//! Fields as a legacy module names them: pseudo-headers are fields there, and parts of the start line here
//! (ABI reference 7.2).

use std::borrow::Cow;

use proxy_wasi_abi::pairs;

use crate::bindings::proxy_wasm::plugin::http_headers::{self, HeaderError};
use crate::bindings::proxy_wasm::plugin::http_start_line;
use crate::bindings::proxy_wasm::plugin::plugin_types::{HeaderMap, StreamContext};
use crate::bindings::wasi::http::types::{Method, Scheme};

/// What a name in a map stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field<'a> {
    /// `:method`
    Method,
    /// `:scheme`
    Scheme,
    /// `:authority`, or `host`, which shares its place
    Authority,
    /// `:path`
    Path,
    /// `:status`
    Status,
    /// A header or trailer field.
    Named(&'a str),
    /// What cannot be the name of a field.
    Impossible,
}

type Edit = Result<(), HeaderError>;

impl<'a> Field<'a> {
    /// Reads a name.
    #[inline]
    pub(crate) fn of(map: HeaderMap, name: &'a [u8]) -> Self {
        let special = match map {
            HeaderMap::RequestHeaders => Self::of_request(name),
            HeaderMap::ResponseHeaders if name.eq_ignore_ascii_case(b":status") => {
                Some(Self::Status)
            }
            HeaderMap::ResponseHeaders
            | HeaderMap::RequestTrailers
            | HeaderMap::ResponseTrailers => None,
        };
        special.unwrap_or_else(|| match std::str::from_utf8(name) {
            Ok(name) if !name.starts_with(':') => Self::Named(name),
            Ok(_) | Err(_) => Self::Impossible,
        })
    }

    /// What a name stands for among the request's headers, if not for a field.
    #[inline]
    fn of_request(name: &[u8]) -> Option<Self> {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        match name.len() {
            4 if is(b"host") => Some(Self::Authority),
            5 if is(b":path") => Some(Self::Path),
            7 if is(b":method") => Some(Self::Method),
            7 if is(b":scheme") => Some(Self::Scheme),
            10 if is(b":authority") => Some(Self::Authority),
            _ => None,
        }
    }

    /// Returns the value of a part of the start line.
    fn of_start_line(self, stream: StreamContext) -> Result<Option<Vec<u8>>, HeaderError> {
        Ok(match self {
            Self::Method => {
                http_start_line::get_method(stream)?.map(|method| method_text(method).into_owned())
            }
            Self::Scheme => {
                http_start_line::get_scheme(stream)?.map(|scheme| scheme_text(scheme).into_owned())
            }
            Self::Authority => http_start_line::get_authority(stream)?.map(String::into_bytes),
            Self::Path => http_start_line::get_path_with_query(stream)?.map(String::into_bytes),
            Self::Status => {
                http_start_line::get_status(stream)?.map(|status| status_text(status).to_vec())
            }
            Self::Named(_) | Self::Impossible => None,
        })
    }

    /// Makes this the only value.
    pub(crate) fn set(self, stream: StreamContext, map: HeaderMap, value: &[u8]) -> Edit {
        match self {
            Self::Named(name) => http_headers::set(stream, map, name, value),
            Self::Method => http_start_line::set_method(stream, Some(&method(value)?)),
            Self::Scheme => http_start_line::set_scheme(stream, Some(&scheme(value)?)),
            Self::Authority => http_start_line::set_authority(stream, Some(text(value)?)),
            Self::Path => http_start_line::set_path_with_query(stream, Some(text(value)?)),
            Self::Status => http_start_line::set_status(stream, Some(status(value)?)),
            Self::Impossible => Err(HeaderError::InvalidName),
        }
    }

    /// Adds a value. To what can have only one it is joined by a comma, as Envoy does.
    pub(crate) fn append(self, stream: StreamContext, map: HeaderMap, value: &[u8]) -> Edit {
        match self {
            Self::Named(name) => return http_headers::append(stream, map, name, value),
            // Says whether the map is there.
            Self::Impossible => _ = http_headers::count(stream, map)?,
            Self::Method | Self::Scheme | Self::Authority | Self::Path | Self::Status => {}
        }
        match self.of_start_line(stream)? {
            Some(old) => self.set(stream, map, &[&old, value].join(b",".as_slice())),
            None => self.set(stream, map, value),
        }
    }

    /// Removes all values.
    pub(crate) fn remove(self, stream: StreamContext, map: HeaderMap) -> Edit {
        match self {
            Self::Named(name) => match http_headers::remove(stream, map, name) {
                Err(HeaderError::InvalidName) => Ok(()),
                other => other,
            },
            Self::Method => http_start_line::set_method(stream, None),
            Self::Scheme => http_start_line::set_scheme(stream, None),
            Self::Authority => http_start_line::set_authority(stream, None),
            Self::Path => http_start_line::set_path_with_query(stream, None),
            Self::Status => http_start_line::set_status(stream, None),
            // Says whether the map is there.
            Self::Impossible => http_headers::count(stream, map).map(|_| ()),
        }
    }
}

/// The name under which a flat map has what a legacy module calls `name`.
pub(crate) fn name_in_flat_map(map: HeaderMap, name: &[u8]) -> &[u8] {
    let is_host = map == HeaderMap::RequestHeaders && name.eq_ignore_ascii_case(b"host");
    if is_host { b":authority" } else { name }
}

/// A list from a legacy module as the host takes it: `host` as `:authority`.
pub(crate) fn normalized(map: HeaderMap, bytes: &[u8]) -> Cow<'_, [u8]> {
    let entries = pairs::decode(bytes);
    if map != HeaderMap::RequestHeaders
        || !entries
            .clone()
            .any(|(name, _)| name.eq_ignore_ascii_case(b"host"))
    {
        return Cow::Borrowed(bytes);
    }
    let has_authority = entries
        .clone()
        .any(|(name, _)| name.eq_ignore_ascii_case(b":authority"));
    let mut entries: Vec<_> = entries.collect();
    entries.retain(|(name, _)| !(has_authority && name.eq_ignore_ascii_case(b"host")));
    for (name, _) in &mut entries {
        if name.eq_ignore_ascii_case(b"host") {
            *name = b":authority";
        }
    }
    // Pseudo-headers come first.
    let is_pseudo = |(name, _): &(&[u8], &[u8])| name.starts_with(b":");
    let (mut entries, fields): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_pseudo);
    entries.extend(fields);
    Cow::Owned(pairs::encode(entries))
}

fn text(value: &[u8]) -> Result<&str, HeaderError> {
    std::str::from_utf8(value).map_err(|_| HeaderError::InvalidValue)
}

/// Reads a method.
pub(crate) fn method(value: &[u8]) -> Result<Method, HeaderError> {
    Ok(match value {
        b"GET" => Method::Get,
        b"HEAD" => Method::Head,
        b"POST" => Method::Post,
        b"PUT" => Method::Put,
        b"DELETE" => Method::Delete,
        b"CONNECT" => Method::Connect,
        b"OPTIONS" => Method::Options,
        b"TRACE" => Method::Trace,
        b"PATCH" => Method::Patch,
        other => Method::Other(text(other)?.to_owned()),
    })
}

fn method_text(method: Method) -> Cow<'static, [u8]> {
    Cow::Borrowed(match method {
        Method::Get => b"GET",
        Method::Head => b"HEAD",
        Method::Post => b"POST",
        Method::Put => b"PUT",
        Method::Delete => b"DELETE",
        Method::Connect => b"CONNECT",
        Method::Options => b"OPTIONS",
        Method::Trace => b"TRACE",
        Method::Patch => b"PATCH",
        Method::Other(other) => return Cow::Owned(other.into_bytes()),
    })
}

/// Reads a scheme.
pub(crate) fn scheme(value: &[u8]) -> Result<Scheme, HeaderError> {
    Ok(match value {
        b"http" => Scheme::Http,
        b"https" => Scheme::Https,
        other => Scheme::Other(text(other)?.to_owned()),
    })
}

fn scheme_text(scheme: Scheme) -> Cow<'static, [u8]> {
    match scheme {
        Scheme::Http => Cow::Borrowed(b"http"),
        Scheme::Https => Cow::Borrowed(b"https"),
        Scheme::Other(other) => Cow::Owned(other.into_bytes()),
    }
}

/// Reads a status: three digits.
fn status(value: &[u8]) -> Result<u16, HeaderError> {
    match value {
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => Ok(value
            .iter()
            .fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))),
        _ => Err(HeaderError::InvalidValue),
    }
}

/// A status as three digits.
pub(crate) fn status_text(status: u16) -> [u8; 3] {
    [100, 10, 1].map(|place| b'0' + (status / place % 10) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_what_they_mean_in_their_map() {
        let request = |name: &'static str| Field::of(HeaderMap::RequestHeaders, name.as_bytes());
        assert_eq!(request(":path"), Field::Path);
        assert_eq!(request(":Method"), Field::Method);
        assert_eq!(request("Host"), Field::Authority);
        assert_eq!(request("hosts"), Field::Named("hosts"));
        assert_eq!(request(":status"), Field::Impossible);
        assert_eq!(request("X-a"), Field::Named("X-a"));
        assert_eq!(
            Field::of(HeaderMap::ResponseHeaders, b":status"),
            Field::Status
        );
        assert_eq!(
            Field::of(HeaderMap::ResponseHeaders, b"host"),
            Field::Named("host")
        );
        assert_eq!(
            Field::of(HeaderMap::RequestTrailers, b":path"),
            Field::Impossible
        );
        assert_eq!(
            Field::of(HeaderMap::RequestHeaders, b"\xff"),
            Field::Impossible
        );
        assert_eq!(
            name_in_flat_map(HeaderMap::RequestHeaders, b"HOST"),
            b":authority"
        );
        assert_eq!(
            name_in_flat_map(HeaderMap::ResponseHeaders, b"host"),
            b"host"
        );
    }

    #[test]
    fn methods_and_statuses_survive_both_ways() {
        for text in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
            "PURGE", "get",
        ] {
            assert_eq!(
                *method_text(method(text.as_bytes()).unwrap()),
                *text.as_bytes()
            );
        }
        for number in 100..=999 {
            assert_eq!(status(&status_text(number)).ok(), Some(number));
        }
        for malformed in ["", "20", "2000", "2x0", "-20", "099"] {
            assert!(status(malformed.as_bytes()).is_err(), "{malformed}");
        }
    }

    #[test]
    fn host_in_a_list_is_the_authority() {
        let list = pairs::encode([("x-a", "1"), ("Host", "h"), (":path", "/")]);
        let expected = pairs::encode([(":authority", "h"), (":path", "/"), ("x-a", "1")]);
        assert_eq!(*normalized(HeaderMap::RequestHeaders, &list), expected);
        assert_eq!(*normalized(HeaderMap::ResponseHeaders, &list), list);

        let both = pairs::encode([("host", "h"), (":authority", "a")]);
        assert_eq!(
            *normalized(HeaderMap::RequestHeaders, &both),
            pairs::encode([(":authority", "a")])
        );
        assert_eq!(
            *normalized(HeaderMap::RequestHeaders, b"\x01\x00\x00\x00"),
            *b"\x01\x00\x00\x00"
        );
    }
}

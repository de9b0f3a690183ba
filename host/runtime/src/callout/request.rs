//! From what a plugin gives to a request.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Uri};
use http::{Method, Request};

use super::body::CalloutBody;
use crate::connection_fields::is_about_connection;
use crate::plugin_fields::PluginFields;

/// Fields as plugins give and get them.
pub(crate) type Fields = Vec<(String, Vec<u8>)>;

/// A request as a plugin gives it.
#[derive(Debug)]
pub(crate) struct RequestParts {
    pub(crate) method: String,
    /// Empty for the cluster's own.
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) headers: Fields,
    pub(crate) body: Bytes,
    pub(crate) trailers: Fields,
}

/// What is wrong with a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRequest {
    #[error("`:method` is `{}`, which is no method", .0.escape_debug())]
    Method(String),
    #[error("`:method` is `CONNECT`, which no callout can use")]
    Connect,
    #[error("`:authority` is `{}`; give a host such as `auth.example` or `auth.example:8080`", .0.escape_debug())]
    Authority(String),
    #[error("`:path` is `{}`; give one that begins with `/`", .0.escape_debug())]
    Path(String),
    #[error("`{}` is no name of a field", .0.escape_debug())]
    FieldName(String),
    #[error("the value of field `{0}` has bytes that no field can have")]
    FieldValue(String),
    #[error("it has more than 4,096 fields or 256 KiB of them; send what is large in the body")]
    TooLarge,
}

/// Fields that the host makes itself.
const OWN: [HeaderName; 3] = [header::CONTENT_LENGTH, header::HOST, header::TRAILER];

/// Reads fields. Those that are about the connection are left out: plugins often pass on all that they have got.
pub(crate) fn header_map(fields: &[(String, Vec<u8>)]) -> Result<HeaderMap, InvalidRequest> {
    let mut map = PluginFields::with_capacity(fields.len() + 1);
    for (field, value) in fields {
        let name = HeaderName::from_bytes(field.as_bytes())
            .map_err(|_| InvalidRequest::FieldName(field.clone()))?;
        if OWN.contains(&name) || is_about_connection(name.as_str()) {
            continue;
        }
        let value = HeaderValue::from_bytes(value)
            .map_err(|_| InvalidRequest::FieldValue(field.clone()))?;
        map.append(name, value)
            .map_err(|_too_large| InvalidRequest::TooLarge)?;
    }
    Ok(map.into_map())
}

/// Fields for a plugin, without those about the connection.
pub(super) fn fields(map: &HeaderMap) -> Fields {
    map.iter()
        .filter(|(name, _)| !is_about_connection(name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}

/// A target without scheme and authority: both are the connection's business, and `host` says the authority.
pub(super) fn target(path: &str) -> Option<Uri> {
    let fits = (path.starts_with('/') || path == "*") && !path.contains('#');
    let path = PathAndQuery::try_from(path).ok().filter(|_| fits)?;
    Some(Uri::from(path))
}

/// The field `host`. Nothing for an empty authority, which Envoy sends as it is: the connection then puts in where it
/// leads.
fn host(authority: String) -> Result<Option<HeaderValue>, InvalidRequest> {
    if authority.is_empty() {
        return Ok(None);
    }
    Authority::try_from(authority.as_str())
        .ok()
        .filter(|authority| !authority.as_str().contains('@'))
        .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok())
        .map(Some)
        .ok_or(InvalidRequest::Authority(authority))
}

impl RequestParts {
    pub(super) fn into_request(self) -> Result<Request<CalloutBody>, InvalidRequest> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| InvalidRequest::Method(self.method.clone()))?;
        if method == Method::CONNECT {
            return Err(InvalidRequest::Connect);
        }
        let host = host(self.authority)?;
        let uri = target(&self.path).ok_or(InvalidRequest::Path(self.path))?;
        let mut headers = header_map(&self.headers)?;
        if let Some(host) = host {
            headers.insert(header::HOST, host);
        }
        let trailers = header_map(&self.trailers)?;
        if !trailers.is_empty() {
            // HTTP/1 sends those that were announced.
            let names: Vec<_> = trailers.keys().map(HeaderName::as_str).collect();
            if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
                headers.insert(header::TRAILER, names);
            }
        }
        let trailers = Some(trailers).filter(|trailers| !trailers.is_empty());
        let length = self.body.len();
        if length > 0 && trailers.is_none() {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let mut request = Request::new(CalloutBody::whole(self.body, trailers));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body;

    use super::*;

    fn parts() -> RequestParts {
        RequestParts {
            method: "POST".to_owned(),
            authority: "auth.example:80".to_owned(),
            path: "/check?a=b".to_owned(),
            headers: vec![("X-A".to_owned(), b"1".to_vec())],
            body: "body".into(),
            trailers: Vec::new(),
        }
    }

    #[test]
    fn makes_requests() {
        let request = parts().into_request().unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "/check?a=b");
        assert_eq!(request.headers()["host"], "auth.example:80");
        assert_eq!(request.headers()["x-a"], "1");
        assert_eq!(request.headers()["content-length"], "4");
    }

    #[test]
    fn an_empty_authority_is_left_to_the_connection() {
        let mut parts = parts();
        parts.authority.clear();
        let request = parts.into_request().unwrap();
        assert!(!request.headers().contains_key("host"));
    }

    #[test]
    fn trailers_are_announced_and_need_a_body_without_length() {
        let mut parts = parts();
        parts.trailers = vec![("x-sum".to_owned(), b"1".to_vec())];
        let request = parts.into_request().unwrap();
        assert_eq!(request.headers()["trailer"], "x-sum");
        assert!(!request.headers().contains_key("content-length"));
        assert_eq!(request.body().size_hint().exact(), None);
    }

    #[test]
    fn fields_about_the_connection_are_the_hosts() {
        let mut parts = parts();
        let own = [
            "Connection",
            "Transfer-Encoding",
            "content-length",
            "host",
            "keep-alive",
            "upgrade",
        ];
        parts.headers = own.map(|name| (name.to_owned(), b"x".to_vec())).to_vec();
        let request = parts.into_request().unwrap();
        let mut names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "host"]);
        assert_eq!(request.headers()["content-length"], "4");
    }

    #[test]
    fn says_what_is_wrong() {
        type Change = fn(&mut RequestParts);
        let table: [(Change, &str); 8] = [
            (
                |parts| parts.method = "G T".to_owned(),
                "`:method` is `G T`",
            ),
            (|parts| parts.method = "CONNECT".to_owned(), "`CONNECT`"),
            (
                |parts| parts.authority = "a b".to_owned(),
                "`:authority` is `a b`",
            ),
            (
                |parts| parts.authority = "u@a".to_owned(),
                "`:authority` is `u@a`",
            ),
            (|parts| parts.path = String::new(), "`:path` is ``"),
            (
                |parts| parts.path = "check".to_owned(),
                "`:path` is `check`",
            ),
            (
                |parts| parts.headers = vec![(":status".to_owned(), Vec::new())],
                "`:status` is no name",
            ),
            (
                |parts| parts.headers = vec![("a".to_owned(), b"\r\nb: c".to_vec())],
                "field `a`",
            ),
        ];
        for (change, expected) in table {
            let mut parts = parts();
            change(&mut parts);
            let error = parts.into_request().err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

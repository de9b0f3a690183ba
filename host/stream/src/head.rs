//! The heads of the two messages.

use bytes::BytesMut;
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Scheme};
use http::{Method, StatusCode};

use crate::effect::Direction;
use crate::interest::Interest;

/// The head of a request.
///
/// The authority is the field `host`, whichever HTTP version it came in: one place, so that the two cannot disagree.
/// Plugins see it as part of the start line only; [`fields`](Self::fields) leaves it out.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    /// The method; must be there when the head is released.
    pub method: Option<Method>,
    /// The scheme of the request.
    pub scheme: Option<Scheme>,
    /// The path with its query; must be there when the head is released, except for CONNECT.
    pub path: Option<PathAndQuery>,
    /// The header fields, and the authority as `host`.
    pub headers: HeaderMap,
}

impl RequestHead {
    /// Returns the authority: `:authority` of HTTP/2, `host` of HTTP/1.
    #[must_use]
    pub fn authority(&self) -> Option<&HeaderValue> {
        self.headers.get(HOST)
    }

    /// Sets or removes the authority.
    pub fn set_authority(&mut self, authority: Option<HeaderValue>) {
        match authority {
            Some(authority) => _ = self.headers.insert(HOST, authority),
            None => _ = self.headers.remove(HOST),
        }
    }

    /// Returns whether a field of this name belongs to the start line and not to the fields that plugins see.
    #[must_use]
    pub fn is_start_line(name: &HeaderName) -> bool {
        *name == HOST
    }

    /// Returns the fields that plugins see, in order: all but the authority.
    pub fn fields(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.headers
            .iter()
            .filter(|(name, _)| !Self::is_start_line(name))
    }

    /// Returns the number of [`fields`](Self::fields).
    #[must_use]
    pub fn field_count(&self) -> usize {
        self.headers.len() - self.headers.get_all(HOST).iter().count()
    }

    /// Replaces all [`fields`](Self::fields); the authority stays. A `host` among `fields` is dropped.
    pub fn set_fields(&mut self, mut fields: HeaderMap) {
        fields.remove(HOST);
        if let Some(authority) = self.headers.remove(HOST) {
            fields.insert(HOST, authority);
        }
        self.headers = fields;
    }

    /// Returns whether this is a gRPC request, whose local responses carry a gRPC status: its content type is
    /// `application/grpc` or begins with `application/grpc+`.
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        self.headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.as_bytes().strip_prefix(b"application/grpc"))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
    }
}

/// The head of a response.
#[derive(Debug, Clone, Default)]
pub struct ResponseHead {
    /// The status; must be there when the head is released.
    pub status: Option<StatusCode>,
    /// The header fields.
    pub headers: HeaderMap,
}

/// What the flow of a message needs to know of its head.
pub(crate) trait Head: Clone {
    /// The direction of the message, and with it the order of the filters.
    const DIRECTION: Direction;
    /// The headers callback.
    const HEADERS: Interest;
    /// The body callback.
    const BODY: Interest;
    /// The trailers callback.
    const TRAILERS: Interest;

    /// Returns a copy that shares no memory with what the head was read from.
    fn detached(&self) -> Self;

    fn headers(&self) -> &HeaderMap;
    fn headers_mut(&mut self) -> &mut HeaderMap;

    /// Returns the number of fields that plugins see.
    fn count(&self) -> usize;

    /// Returns whether the head names an authority.
    fn has_authority(&self) -> bool;

    /// Returns the part of the start line that must be there and is not. `had_authority`: it came with an authority.
    fn missing(&self, had_authority: bool) -> Option<&'static str>;

    /// Returns whether `content-length` says nothing about the bytes that follow (RFC 9110, 8.6), whatever the request.
    fn is_length_meaningless(&self) -> bool;
}

impl Head for RequestHead {
    const DIRECTION: Direction = Direction::Request;
    const HEADERS: Interest = Interest::REQUEST_HEADERS;
    const BODY: Interest = Interest::REQUEST_BODY;
    const TRAILERS: Interest = Interest::REQUEST_TRAILERS;

    fn detached(&self) -> Self {
        let path = |path: &PathAndQuery| {
            // What has been parsed once can be parsed again.
            PathAndQuery::try_from(path.as_str()).unwrap_or_else(|_| path.clone())
        };
        Self {
            method: self.method.clone(),
            scheme: self.scheme.clone(),
            path: self.path.as_ref().map(path),
            headers: detached(&self.headers),
        }
    }

    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    fn count(&self) -> usize {
        self.field_count()
    }

    fn has_authority(&self) -> bool {
        self.authority().is_some()
    }

    fn missing(&self, had_authority: bool) -> Option<&'static str> {
        let connect = self.method == Some(Method::CONNECT);
        if self.method.is_none() {
            Some(":method")
        } else if self.path.is_none() && !connect {
            Some(":path")
        } else if had_authority && !self.has_authority() {
            Some(":authority")
        } else {
            None
        }
    }

    fn is_length_meaningless(&self) -> bool {
        self.method == Some(Method::CONNECT)
    }
}

impl Head for ResponseHead {
    const DIRECTION: Direction = Direction::Response;
    const HEADERS: Interest = Interest::RESPONSE_HEADERS;
    const BODY: Interest = Interest::RESPONSE_BODY;
    const TRAILERS: Interest = Interest::RESPONSE_TRAILERS;

    fn detached(&self) -> Self {
        Self {
            status: self.status,
            headers: detached(&self.headers),
        }
    }

    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    fn count(&self) -> usize {
        self.headers.len()
    }

    fn has_authority(&self) -> bool {
        false
    }

    fn missing(&self, _: bool) -> Option<&'static str> {
        self.status.is_none().then_some(":status")
    }

    fn is_length_meaningless(&self) -> bool {
        matches!(
            self.status,
            Some(StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        )
    }
}

/// Copies fields, their values packed into memory of their own.
fn detached(fields: &HeaderMap) -> HeaderMap {
    let mut copy = fields.clone();
    let size = fields.values().map(HeaderValue::len).sum();
    let mut packed = BytesMut::with_capacity(size);
    for value in fields.values() {
        packed.extend_from_slice(value.as_bytes());
    }
    let mut packed = packed.freeze();
    for value in copy.values_mut() {
        if let Ok(mut own) = HeaderValue::from_maybe_shared(packed.split_to(value.len())) {
            own.set_sensitive(value.is_sensitive());
            *value = own;
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn head(fields: &[(&'static str, &'static str)]) -> RequestHead {
        let mut head = RequestHead::default();
        for &(name, value) in fields {
            head.headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        head
    }

    #[test]
    fn the_authority_is_not_among_the_fields() {
        let mut head = head(&[("host", "a"), ("x", "1"), ("x", "2")]);
        assert_eq!(head.authority().unwrap(), "a");
        assert_eq!(head.field_count(), 2);
        assert_eq!(head.fields().count(), 2);
        head.set_authority(Some(HeaderValue::from_static("b")));
        assert_eq!(head.authority().unwrap(), "b");
        head.set_authority(None);
        assert!(head.authority().is_none());
        assert_eq!(head.field_count(), 2);
    }

    #[test]
    fn replacing_the_fields_keeps_the_authority() {
        let mut head = head(&[("host", "a"), ("x", "1")]);
        head.set_fields(HeaderMap::from_iter([
            (HOST, HeaderValue::from_static("smuggled")),
            (CONTENT_TYPE, HeaderValue::from_static("text/plain")),
        ]));
        assert_eq!(head.headers.get_all(HOST).iter().collect::<Vec<_>>(), ["a"]);
        assert_eq!(head.field_count(), 1);
        head.set_authority(None);
        head.set_fields(HeaderMap::from_iter([(
            HOST,
            HeaderValue::from_static("smuggled"),
        )]));
        assert!(head.authority().is_none());
    }

    #[test]
    fn a_detached_copy_is_equal_and_lets_the_read_buffer_go() {
        let buffer = Bytes::from(b"/path?query one two sensitive".to_vec());
        let value = |range| HeaderValue::from_maybe_shared(buffer.slice(range)).unwrap();
        let mut request = RequestHead {
            method: Some(Method::POST),
            scheme: Some(Scheme::HTTPS),
            path: Some(PathAndQuery::from_maybe_shared(buffer.slice(..11)).unwrap()),
            ..RequestHead::default()
        };
        let mut secret = value(20..29);
        secret.set_sensitive(true);
        for (name, value) in [("x", value(12..15)), ("y", secret), ("x", value(16..19))] {
            request.headers.append(name, value);
        }
        let copy = request.detached();
        assert_eq!(
            (&copy.method, &copy.scheme, &copy.path, &copy.headers),
            (
                &request.method,
                &request.scheme,
                &request.path,
                &request.headers
            )
        );
        assert!(copy.headers["y"].is_sensitive());
        assert!(!copy.headers["x"].is_sensitive());

        let response = ResponseHead {
            status: Some(StatusCode::CREATED),
            headers: request.headers.clone(),
        };
        drop(request);
        let response_copy = response.detached();
        assert_eq!(
            (response_copy.status, &response_copy.headers),
            (response.status, &response.headers)
        );
        drop(response);
        assert!(buffer.is_unique(), "something holds the buffer");
    }

    #[test]
    fn grpc_is_told_by_its_content_type() {
        for grpc in ["application/grpc", "application/grpc+proto"] {
            assert!(head(&[("content-type", grpc)]).is_grpc(), "{grpc}");
        }
        for other in ["application/grpc-web", "application/grpcx", "text/plain"] {
            assert!(!head(&[("content-type", other)]).is_grpc(), "{other}");
        }
        assert!(!head(&[]).is_grpc());
    }

    #[test]
    fn a_connect_request_needs_no_path() {
        let connect = RequestHead {
            method: Some(Method::CONNECT),
            ..RequestHead::default()
        };
        assert_eq!(connect.missing(false), None);
        let get = RequestHead {
            method: Some(Method::GET),
            ..RequestHead::default()
        };
        assert_eq!(get.missing(false), Some(":path"));
    }
}

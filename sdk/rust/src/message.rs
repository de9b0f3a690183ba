//! The two messages of an exchange.

use crate::bindings::proxy_wasm::plugin::http_headers::HeaderError;
use crate::bindings::proxy_wasm::plugin::http_start_line;
use crate::bindings::proxy_wasm::plugin::plugin_types::{Direction, HeaderMap};
use crate::bindings::wasi::http::types::{Method, Scheme, StatusCode};
use crate::body::Body;
use crate::error::Refused;
use crate::headers::{FieldValue, Headers};

type StartLineResult<T> = Result<T, Refused<HeaderError>>;

/// The request of an exchange.
///
/// Readable from `on_request_headers` on, its start line writable while its head is held. A request that leaves the
/// plugin without method or path is answered with 503.
///
/// Errors are those of [`Headers`].
#[derive(Clone, Copy, Debug)]
pub struct Request {
    context: u64,
}

#[expect(
    clippy::missing_errors_doc,
    reason = "the type's documentation tells them once"
)]
impl Request {
    pub(crate) fn new(context: u64) -> Self {
        Self { context }
    }

    /// Returns the header fields, without the start line.
    pub fn headers(self) -> Headers {
        Headers::new(self.context, HeaderMap::RequestHeaders)
    }

    /// Returns the first value of a header field.
    pub fn header(self, name: &str) -> StartLineResult<Option<FieldValue>> {
        self.headers().get(name)
    }

    /// Returns the trailer fields. Where there are none, the last body callback makes them by setting one.
    ///
    /// To an upstream that speaks HTTP/1 they go behind a body in chunks, and only those that the header field
    /// `trailer` names.
    pub fn trailers(self) -> Headers {
        Headers::new(self.context, HeaderMap::RequestTrailers)
    }

    /// Returns the body.
    pub fn body(self) -> Body {
        Body::new(self.context, Direction::Request)
    }

    /// Returns the method; none if a plugin has taken it away.
    pub fn method(self) -> StartLineResult<Option<Method>> {
        http_start_line::get_method(self.context).map_err(|reason| refused("method", reason))
    }

    /// Sets the method.
    pub fn set_method(self, method: &Method) -> StartLineResult<()> {
        http_start_line::set_method(self.context, Some(method))
            .map_err(|reason| refused("method", reason))
    }

    /// Returns the scheme: of the downstream connection, unless the request or a plugin said otherwise.
    pub fn scheme(self) -> StartLineResult<Option<Scheme>> {
        http_start_line::get_scheme(self.context).map_err(|reason| refused("scheme", reason))
    }

    /// Sets the scheme.
    pub fn set_scheme(self, scheme: &Scheme) -> StartLineResult<()> {
        http_start_line::set_scheme(self.context, Some(scheme))
            .map_err(|reason| refused("scheme", reason))
    }

    /// Returns the authority: `:authority` of HTTP/2, `host` of HTTP/1.
    pub fn authority(self) -> StartLineResult<Option<String>> {
        http_start_line::get_authority(self.context).map_err(|reason| refused("authority", reason))
    }

    /// Sets the authority.
    pub fn set_authority(self, authority: &str) -> StartLineResult<()> {
        http_start_line::set_authority(self.context, Some(authority))
            .map_err(|reason| refused("authority", reason))
    }

    /// Returns the path with its query; none if a plugin has taken it away.
    pub fn path(self) -> StartLineResult<Option<String>> {
        http_start_line::get_path_with_query(self.context).map_err(|reason| refused("path", reason))
    }

    /// Sets the path with its query.
    pub fn set_path(self, path_with_query: &str) -> StartLineResult<()> {
        http_start_line::set_path_with_query(self.context, Some(path_with_query))
            .map_err(|reason| refused("path", reason))
    }
}

/// The response of an exchange: the upstream's, or a local one.
///
/// Readable from `on_response_headers` on, its status writable while its head is held.
///
/// Errors are those of [`Headers`].
#[derive(Clone, Copy, Debug)]
pub struct Response {
    context: u64,
}

#[expect(
    clippy::missing_errors_doc,
    reason = "the type's documentation tells them once"
)]
impl Response {
    pub(crate) fn new(context: u64) -> Self {
        Self { context }
    }

    /// Returns the header fields, without the status.
    pub fn headers(self) -> Headers {
        Headers::new(self.context, HeaderMap::ResponseHeaders)
    }

    /// Returns the first value of a header field.
    pub fn header(self, name: &str) -> StartLineResult<Option<FieldValue>> {
        self.headers().get(name)
    }

    /// Returns the trailer fields. Where there are none, the last body callback makes them by setting one.
    ///
    /// To a client that speaks HTTP/1 they go if it sent `te: trailers`, behind a body in chunks, and only those that
    /// the header field `trailer` names.
    pub fn trailers(self) -> Headers {
        Headers::new(self.context, HeaderMap::ResponseTrailers)
    }

    /// Returns the body.
    pub fn body(self) -> Body {
        Body::new(self.context, Direction::Response)
    }

    /// Returns the status; none if a plugin has taken it away.
    pub fn status(self) -> StartLineResult<Option<StatusCode>> {
        http_start_line::get_status(self.context).map_err(|reason| refused("status", reason))
    }

    /// Sets the status, 200 to 599.
    pub fn set_status(self, status: StatusCode) -> StartLineResult<()> {
        http_start_line::set_status(self.context, Some(status))
            .map_err(|reason| refused("status", reason))
    }
}

#[cold]
fn refused(what: &str, reason: HeaderError) -> Refused<HeaderError> {
    let message = if what == "status" {
        "response"
    } else {
        "request"
    };
    Refused::new(format_args!("{what} of the {message}"), reason)
}

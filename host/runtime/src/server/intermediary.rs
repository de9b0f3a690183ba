//! What an intermediary must do to messages on their way through (RFC 9110, 9112, 9113).
//!
//! [`admit`] turns a request as received into one that plugins and upstreams can trust: unambiguously framed, addressed
//! by a `host` field and a path whatever the protocol, free of what concerned only the client's connection. Requests
//! that cannot be so are rejected. [`admit_response`] does the same on the way back. The counterpart before sending
//! upstream is [`upstream::head`](crate::upstream::head).

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body;
use thiserror::Error;

use super::request_id::RequestIds;
use crate::connection_fields::{elements, strip_but_trailers};

mod response;
mod target;

pub use response::{admit_response, finish_response_head};

/// The field that names a request in logs, across services.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Why a message is not passed on, and the status that says so downstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Rejection {
    /// Of the response to the client.
    pub status: StatusCode,
    /// For logs, and fit for the response's body.
    pub reason: &'static str,
}

impl Rejection {
    pub(super) const TWO_FRAMINGS: Self =
        Self::bad_request("both content-length and transfer-encoding");
    pub(super) const REPEATED_LENGTH: Self = Self::bad_request("more than one content-length");
    pub(super) const HEAD_TOO_LARGE: Self = Self::new(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "request head too large",
    );

    /// Found out behind the head, while plugins see the body.
    pub(crate) const BROKEN_BODY: Self =
        Self::bad_request("the request's body is malformed or breaks off");

    /// A plugin has changed the body's length after its `content-length` had gone to the upstream.
    pub(crate) const UNTRUE_LENGTH: Self = Self::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the request's body was changed on its way, and its length was not",
    );

    const fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason }
    }

    const fn bad_request(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// The response that tells a client who asked in `version`; its body is the reason.
    ///
    /// It ends an HTTP/1 connection: client and proxy may disagree about where the next request begins.
    #[must_use]
    pub fn to_response(&self, version: Version) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(format!("{}\n", self.reason)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            // RFC 9110, 15.5.6; of what asks no resource this proxy allows nothing.
            headers.insert(header::ALLOW, HeaderValue::from_static(""));
        }
        if version < Version::HTTP_2 {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Which fields that need attention a request has. One pass over the fields finds them all; most requests have only
/// `host`.
#[derive(Debug, Default)]
struct Census {
    hosts: usize,
    content_lengths: usize,
    transfer_encodings: usize,
    cookies: usize,
    connection: bool,
    upgrade: bool,
    te: bool,
    obsolete: bool,
    expect: bool,
    max_forwards: bool,
    request_id: bool,
    /// HTTP/2: a value begins or ends with a blank. HTTP/1 takes blanks for the space around values.
    blanks: bool,
}

impl Census {
    fn of(headers: &HeaderMap, version: Version) -> Self {
        let mut census = Self::default();
        let http2 = version == Version::HTTP_2;
        for (name, value) in headers {
            census.blanks |= http2 && has_outer_blank(value.as_bytes());
            match name.as_str() {
                "host" => census.hosts += 1,
                "content-length" => census.content_lengths += 1,
                "transfer-encoding" => census.transfer_encodings += 1,
                "cookie" => census.cookies += 1,
                "connection" => census.connection = true,
                "upgrade" => census.upgrade = true,
                "te" => census.te = true,
                "keep-alive" | "proxy-connection" | "http2-settings" => census.obsolete = true,
                "expect" => census.expect = true,
                "max-forwards" => census.max_forwards = true,
                "x-request-id" => census.request_id = true,
                _ => {}
            }
        }
        census
    }
}

/// RFC 9113, 8.2.1
fn has_outer_blank(value: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    blank(value.first()) || blank(value.last())
}

/// Admits a request, changing its head so that it can be passed on, or rejects it.
///
/// Afterwards the target is in origin form (or `*`), exactly one `host` field names the authority, no field concerns
/// the client's connection but `te: trailers`, cookies of HTTP/2 are one field, and there is an `x-request-id`. The
/// framing fields that are left are true: at most one `content-length`, no `transfer-encoding`. `Expect:
/// 100-continue` is gone: in HTTP/1.1 the server answers it when the body is first read, in HTTP/2 nobody does, and the
/// client sends the body once it is tired of waiting (RFC 9110, 10.1.1).
///
/// `local` is the address the client connected to; it stands in for the authority that HTTP/1.0 clients may omit.
///
/// # Errors
///
/// Returns the rejection to answer with; the request is then in no defined state.
pub fn admit<B: Body>(
    request: &mut Request<B>,
    local: SocketAddr,
    ids: &RequestIds,
) -> Result<(), Rejection> {
    let has_body = !request.body().is_end_stream();
    // Taking the head apart and putting it together moves it twice; borrowing its pieces one by one does not.
    let method = request.method().clone();
    let version = request.version();
    let census = Census::of(request.headers(), version);

    if census.blanks {
        return Err(Rejection::bad_request(
            "a field's value begins or ends with a blank",
        ));
    }
    check_method(&method, has_body)?;
    check_framing(request.headers(), &census, version)?;
    if census.expect {
        answer_expectation(request.headers_mut(), version)?;
    }
    if census.max_forwards {
        count_down(request.headers_mut(), &method)?;
    }
    target::normalize(request, census.hosts, local)?;
    let headers = request.headers_mut();
    if census.connection
        || census.upgrade
        || census.te
        || census.obsolete
        || census.transfer_encodings > 0
    {
        check_upgrade(headers, version)?;
        strip_but_trailers(headers);
    }
    if census.cookies > 1 && version == Version::HTTP_2 {
        join_cookies(headers);
    }
    // `connection` may have named it.
    if !census.request_id || (census.connection && !headers.contains_key(X_REQUEST_ID)) {
        headers.insert(X_REQUEST_ID, ids.next());
    }
    Ok(())
}

/// A request to change the protocol is refused rather than ignored: the client could not do with less.
///
/// Except for HTTP/2, which clients offer on the off chance (RFC 9113, 3.1, made that obsolete).
fn check_upgrade(headers: &HeaderMap, version: Version) -> Result<(), Rejection> {
    let asked = version == Version::HTTP_11
        && elements(headers, &header::CONNECTION)
            .any(|option| option.eq_ignore_ascii_case(b"upgrade"));
    let needed = |protocol: &[u8]| {
        !protocol.eq_ignore_ascii_case(b"h2c") && !protocol.eq_ignore_ascii_case(b"h2")
    };
    if asked && elements(headers, &header::UPGRADE).any(needed) {
        return Err(Rejection::new(
            StatusCode::NOT_IMPLEMENTED,
            "protocol upgrades are not supported",
        ));
    }
    Ok(())
}

fn check_method(method: &Method, has_body: bool) -> Result<(), Rejection> {
    match *method {
        Method::CONNECT => Err(Rejection::new(
            StatusCode::NOT_IMPLEMENTED,
            "CONNECT is not supported",
        )),
        // RFC 9110, 9.3.8
        Method::TRACE if has_body => Err(Rejection::bad_request("TRACE request with a body")),
        _ => Ok(()),
    }
}

/// RFC 9112, 6.1 to 6.3. hyper resolves most contradictions by itself; what it lets through is refused here, so that no
/// two servers on the way can disagree about where a request ends.
fn check_framing(headers: &HeaderMap, census: &Census, version: Version) -> Result<(), Rejection> {
    if census.content_lengths > 1 {
        return Err(Rejection::REPEATED_LENGTH);
    }
    if census.transfer_encodings == 0 {
        return Ok(());
    }
    if census.content_lengths > 0 {
        return Err(Rejection::TWO_FRAMINGS);
    }
    if version != Version::HTTP_11 {
        return Err(Rejection::bad_request(
            "transfer-encoding outside of HTTP/1.1",
        ));
    }
    let codings = headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty());
    let mut chunked = 0;
    for coding in codings {
        if coding.eq_ignore_ascii_case(b"chunked") {
            chunked += 1;
        } else {
            return Err(Rejection::new(
                StatusCode::NOT_IMPLEMENTED,
                "transfer-encoding other than chunked",
            ));
        }
    }
    if chunked == 1 {
        Ok(())
    } else {
        Err(Rejection::bad_request(
            "transfer-encoding is chunked more than once",
        ))
    }
}

/// RFC 9110, 10.1.1
fn answer_expectation(headers: &mut HeaderMap, version: Version) -> Result<(), Rejection> {
    let Some(expectation) = headers.remove(header::EXPECT) else {
        return Ok(());
    };
    if version == Version::HTTP_10 || expectation.as_bytes().eq_ignore_ascii_case(b"100-continue") {
        Ok(())
    } else {
        Err(Rejection::new(
            StatusCode::EXPECTATION_FAILED,
            "expectation other than 100-continue",
        ))
    }
}

/// RFC 9110, 7.6.2
fn count_down(headers: &mut HeaderMap, method: &Method) -> Result<(), Rejection> {
    if !matches!(*method, Method::TRACE | Method::OPTIONS) {
        return Ok(());
    }
    let Some(value) = headers.get_mut(header::MAX_FORWARDS) else {
        return Ok(());
    };
    let left: Option<u32> = value.to_str().ok().and_then(|text| text.parse().ok());
    match left {
        None => Err(Rejection::bad_request("max-forwards is not a number")),
        Some(0) => Err(Rejection::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "max-forwards ends here, and this proxy answers neither TRACE nor OPTIONS itself",
        )),
        Some(left) => {
            *value = HeaderValue::from(left - 1);
            Ok(())
        }
    }
}

/// RFC 9113, 8.2.3
fn join_cookies(headers: &mut HeaderMap) {
    let joined = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect::<Vec<_>>()
        .join(&b"; "[..]);
    // Values joined by visible characters are a value.
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests;

//! Makes a request head fit for the connection it is sent on: version, form of the target, `host`, and framing that
//! tells the truth about the body.
//!
//! The target's path is kept, its scheme and authority are not; what names the authority is the `host` field, and the
//! cluster's address if it is absent. Heads are expected without hop-by-hop fields other than `te: trailers`.

use http::header::{self, HeaderValue};
use http::uri::{Authority, PathAndQuery, Uri};
use http::{Method, Version, request};
use http_body::Body;
use thiserror::Error;

use super::cluster::Cluster;

/// Why a request cannot be sent to an upstream.
#[derive(Debug, Error)]
pub enum HeadError {
    /// The `host` field does not name an authority.
    #[error("field `host` is not an authority: {value:?}")]
    Host {
        /// The field's value.
        value: HeaderValue,
    },
    /// The pieces of the target make no URI.
    #[error("the request target cannot be sent")]
    Target(#[from] http::Error),
}

/// Makes `content-length` agree with the body: a difference would be the start of the next request for the upstream.
fn frame<B: Body>(head: &mut request::Parts, body: &B) {
    let exact = if body.is_end_stream() {
        Some(0)
    } else {
        body.size_hint().exact()
    };
    match (head.headers.get(header::CONTENT_LENGTH), exact) {
        (Some(stated), Some(actual)) => {
            if parse_length(stated) != Some(actual) {
                head.headers
                    .insert(header::CONTENT_LENGTH, HeaderValue::from(actual));
            }
        }
        // Some servers answer 411 to these methods otherwise.
        (None, Some(0)) if matches!(head.method, Method::POST | Method::PUT | Method::PATCH) => {
            head.headers
                .insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        (Some(_) | None, _) => {}
    }
}

fn parse_length(value: &HeaderValue) -> Option<u64> {
    let text = value.to_str().ok()?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Prepares a request head for HTTP/1.1.
///
/// # Errors
///
/// None in practice: every authority is a field value.
pub fn prepare_http1<B: Body>(
    head: &mut request::Parts,
    body: &B,
    cluster: &Cluster,
) -> Result<(), HeadError> {
    frame(head, body);
    head.version = Version::HTTP_11;
    if head.uri.authority().is_some() || head.uri.scheme().is_some() {
        head.uri = Uri::from(path(&head.uri));
    }
    if !head.headers.contains_key(header::HOST) {
        let host =
            HeaderValue::from_str(cluster.authority().as_str()).map_err(http::Error::from)?;
        head.headers.insert(header::HOST, host);
    }
    if head.headers.contains_key(header::TE) {
        // RFC 9110, 10.1.4: the field concerns this connection only.
        head.headers
            .insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    // hyper leaves out a body of unknown length here unless told that it is meant.
    let bodiless = matches!(head.method, Method::GET | Method::HEAD);
    if bodiless && !body.is_end_stream() && !head.headers.contains_key(header::CONTENT_LENGTH) {
        head.headers.insert(
            header::TRANSFER_ENCODING,
            HeaderValue::from_static("chunked"),
        );
    }
    Ok(())
}

/// Prepares a request head for HTTP/2.
///
/// # Errors
///
/// `host` or the path cannot be expressed there.
pub fn prepare_http2<B: Body>(
    head: &mut request::Parts,
    body: &B,
    cluster: &Cluster,
) -> Result<(), HeadError> {
    frame(head, body);
    head.version = Version::HTTP_2;
    let authority = match head.headers.remove(header::HOST) {
        Some(value) => {
            Authority::try_from(value.as_bytes()).map_err(|_invalid| HeadError::Host { value })?
        }
        None => cluster.authority().clone(),
    };
    head.uri = Uri::builder()
        .scheme(cluster.request_scheme())
        .authority(authority)
        .path_and_query(path(&head.uri))
        .build()?;
    Ok(())
}

fn path(uri: &Uri) -> PathAndQuery {
    uri.path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"))
}

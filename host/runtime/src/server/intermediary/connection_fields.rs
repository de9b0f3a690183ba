//! Fields that concern one connection and are not passed on (RFC 9110, 7.6.1).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Version};

use super::Rejection;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// The elements of all `connection` fields.
fn options(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    elements(headers, &header::CONNECTION)
}

/// The elements of all fields called `name`, as of a comma-separated list.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Removes a request's connection fields, but keeps `te: trailers`, which the upstream should know.
pub(super) fn strip_request(headers: &mut HeaderMap, version: Version) -> Result<(), Rejection> {
    check_upgrade(headers, version)?;
    let trailers =
        elements(headers, &header::TE).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
    strip(headers);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    Ok(())
}

/// A request to change the protocol is refused rather than ignored: the client could not do with less.
///
/// Except for HTTP/2, which clients offer on the off chance (RFC 9113, 3.1, made that obsolete).
fn check_upgrade(headers: &HeaderMap, version: Version) -> Result<(), Rejection> {
    let asked = version == Version::HTTP_11
        && options(headers).any(|option| option.eq_ignore_ascii_case(b"upgrade"));
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

/// Removes the fields that `connection` names and the known ones.
pub(super) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = options(headers)
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| !is_end_to_end(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        header::CONNECTION,
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        KEEP_ALIVE,
        PROXY_CONNECTION,
        HTTP2_SETTINGS,
    ] {
        headers.remove(name);
    }
}

/// Fields that a client cannot take away from the upstream by naming them in `connection`: where the message goes and
/// where it ends.
fn is_end_to_end(name: &HeaderName) -> bool {
    matches!(*name, header::HOST | header::CONTENT_LENGTH)
}

//! Fields that concern one connection and are not passed on (RFC 9110, 7.6.1).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;

/// Whether a field of this name concerns one connection, whatever `connection` says.
#[inline]
pub(crate) fn is_about_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "keep-alive"
            | "proxy-connection"
            | "http2-settings"
    )
}

/// The elements of all fields called `name`, as of a comma-separated list.
pub(crate) fn elements<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Removes the fields that `connection` names and the known ones.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let known = headers
        .keys()
        .filter(|name| is_about_connection(name.as_str()));
    let mut names: Vec<HeaderName> = known.cloned().collect();
    if names.is_empty() {
        return;
    }
    let named = elements(headers, &header::CONNECTION)
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| !is_end_to_end(name));
    names.extend(named);
    for name in names {
        headers.remove(name);
    }
}

/// Removes them, but keeps `te: trailers`, which the next server should know.
pub(crate) fn strip_but_trailers(headers: &mut HeaderMap) {
    let trailers =
        elements(headers, &header::TE).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
    strip(headers);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// Removes from trailers, if the frame has them, what concerns the connection, the framing and the routing of their
/// message, which nobody may take from there (RFC 9110, 6.5.1); a peer that speaks HTTP/2 resets the stream for the
/// former.
pub(crate) fn strip_trailers<D>(frame: &mut Frame<D>) {
    let Some(trailers) = frame.trailers_mut() else {
        return;
    };
    strip(trailers);
    for name in [header::CONTENT_LENGTH, header::HOST, header::TRAILER] {
        trailers.remove(name);
    }
}

/// Fields that a client cannot take away from the upstream by naming them in `connection`: where the message goes and
/// where it ends.
fn is_end_to_end(name: &HeaderName) -> bool {
    matches!(*name, header::HOST | header::CONTENT_LENGTH)
}

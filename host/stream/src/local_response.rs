//! Responses that a filter or the host makes itself (ABI reference, 4.8 and 6.4).

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{HeaderName as Name, StatusCode};

use crate::head::ResponseHead;

const GRPC_STATUS: Name = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: Name = HeaderName::from_static("grpc-message");
const TEXT_PLAIN: HeaderValue = HeaderValue::from_static("text/plain");
const APPLICATION_GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// A response that does not come from the upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalResponse {
    /// The status.
    pub status: StatusCode,
    /// Fields beside those that the machine makes: `content-length` always, and `content-type: text/plain` for a body
    /// that has none here. Without a body both are removed.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; not sent to HEAD requests, and sent to gRPC requests as `grpc-message`.
    pub body: Bytes,
    /// What gRPC requests get, 0 to 16. Default: derived from `status`.
    pub grpc_status: Option<u32>,
    /// Why, in a word, for access logs. White space becomes underscores.
    pub details: String,
}

impl LocalResponse {
    /// Creates a response with a text for a body, empty for none.
    pub(crate) fn with_text(
        status: StatusCode,
        body: impl Into<Bytes>,
        details: impl Into<String>,
    ) -> Self {
        Self {
            status,
            body: body.into(),
            details: details.into(),
            ..Self::default()
        }
    }

    /// Makes the message. `grpc`: for a gRPC request; `head`: for a HEAD request.
    pub(crate) fn into_message(self, grpc: bool, head: bool) -> (ResponseHead, Bytes) {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 2);
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        if grpc {
            let status = self
                .grpc_status
                .unwrap_or_else(|| grpc_status_of(self.status));
            return (grpc_head(headers, status, &self.body), Bytes::new());
        }
        if self.body.is_empty() {
            headers.remove(CONTENT_LENGTH);
            headers.remove(CONTENT_TYPE);
        } else {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
            headers.entry(CONTENT_TYPE).or_insert(TEXT_PLAIN);
        }
        let body = if head { Bytes::new() } else { self.body };
        (
            ResponseHead {
                status: Some(self.status),
                headers,
            },
            body,
        )
    }
}

/// Returns `details` as it goes to access logs: one word.
pub(crate) fn one_word(details: &str) -> String {
    details.replace([' ', '\t', '\r', '\n', '\x0b', '\x0c'], "_")
}

/// Makes the one frame of headers that a failed gRPC call is answered with.
fn grpc_head(mut headers: HeaderMap, status: u32, message: &[u8]) -> ResponseHead {
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, APPLICATION_GRPC);
    headers
        .entry(GRPC_STATUS)
        .or_insert_with(|| HeaderValue::from(status));
    let message = message.strip_suffix(b"\n").unwrap_or(message);
    // Percent-encoding leaves nothing that a field value may not hold.
    if let (false, Ok(message)) = (
        message.is_empty(),
        HeaderValue::try_from(percent_encode(message)),
    ) {
        headers.entry(GRPC_MESSAGE).or_insert(message);
    }
    ResponseHead {
        status: Some(StatusCode::OK),
        headers,
    }
}

/// Encodes as gRPC wants its messages, and as Envoy does it: everything but printable ASCII, `~` and `%`.
fn percent_encode(text: &[u8]) -> String {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let mut encoded = String::with_capacity(text.len());
    for &byte in text {
        if (b' '..b'~').contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15]
                    .iter()
                    .filter_map(|digit| HEX.get(usize::from(*digit))),
            );
        }
    }
    encoded
}

/// Returns the gRPC status for an HTTP status (gRPC over HTTP/2, "HTTP to gRPC Status Code Mapping").
fn grpc_status_of(status: StatusCode) -> u32 {
    match status.as_u16() {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

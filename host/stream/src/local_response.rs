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
    pub headers: HeaderMap,
    /// The body; not sent to HEAD requests or with 204 and 304, and sent to gRPC requests as `grpc-message`.
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
        let mut headers = self.headers;
        if grpc {
            let status = self
                .grpc_status
                .unwrap_or_else(|| grpc_status_of(self.status));
            return (grpc_head(headers, status, &self.body), Bytes::new());
        }
        // RFC 9110, 15.3.5 and 15.4.5: these end with their head.
        let bodiless = matches!(
            self.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        if bodiless || self.body.is_empty() {
            headers.remove(CONTENT_LENGTH);
            headers.remove(CONTENT_TYPE);
        } else {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
            headers.entry(CONTENT_TYPE).or_insert(TEXT_PLAIN);
        }
        let body = if head || bodiless {
            Bytes::new()
        } else {
            self.body
        };
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

/// Returns the gRPC status that stands for an HTTP status where no `grpc-status` came with it (gRPC over HTTP/2, "HTTP to
/// gRPC Status Code Mapping").
#[must_use]
pub fn grpc_status_of(status: StatusCode) -> u32 {
    match status.as_u16() {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied() -> LocalResponse {
        LocalResponse::with_text(StatusCode::FORBIDDEN, "no way\n", "")
    }

    fn with(mut response: LocalResponse, fields: &[(&'static str, &'static str)]) -> LocalResponse {
        for &(name, value) in fields {
            response
                .headers
                .append(name, HeaderValue::from_static(value));
        }
        response
    }

    #[test]
    fn a_body_gets_a_length_and_a_type() {
        let (head, body) = denied().into_message(false, false);
        assert_eq!(head.headers[CONTENT_LENGTH], "7");
        assert_eq!(head.headers[CONTENT_TYPE], "text/plain");
        assert_eq!(&*body, b"no way\n");
    }

    #[test]
    fn a_given_type_stays_and_a_given_length_does_not() {
        let response = with(
            denied(),
            &[("content-type", "text/html"), ("content-length", "99")],
        );
        let (head, _) = response.into_message(false, false);
        assert_eq!(head.headers[CONTENT_TYPE], "text/html");
        assert_eq!(
            head.headers
                .get_all(CONTENT_LENGTH)
                .iter()
                .collect::<Vec<_>>(),
            ["7"]
        );
    }

    #[test]
    fn without_a_body_there_is_neither() {
        let empty = LocalResponse::with_text(StatusCode::NO_CONTENT, "", "");
        let response = with(
            empty,
            &[
                ("content-type", "text/html"),
                ("content-length", "0"),
                ("x", "1"),
                ("x", "2"),
            ],
        );
        let (head, body) = response.into_message(false, false);
        assert_eq!(head.headers.len(), 2);
        assert_eq!(
            head.headers.get_all("x").iter().collect::<Vec<_>>(),
            ["1", "2"]
        );
        assert!(body.is_empty());
    }

    #[test]
    fn a_head_request_gets_the_length_without_the_body() {
        let (head, body) = denied().into_message(false, true);
        assert_eq!(head.headers[CONTENT_LENGTH], "7");
        assert!(body.is_empty());
    }

    #[test]
    fn a_status_that_has_no_body_gets_none() {
        for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
            let response = LocalResponse::with_text(status, "not to be sent", "");
            let (head, body) = response.into_message(false, false);
            assert!(head.headers.is_empty() && body.is_empty(), "{status}");
        }
    }

    #[test]
    fn a_grpc_request_gets_a_status_and_a_message() {
        let response = with(
            denied(),
            &[
                ("content-length", "7"),
                ("content-type", "text/html"),
                ("x", "1"),
            ],
        );
        let (head, body) = response.into_message(true, false);
        assert_eq!(head.status, Some(StatusCode::OK));
        assert_eq!(head.headers[CONTENT_TYPE], "application/grpc");
        assert_eq!(head.headers["grpc-status"], "7");
        assert_eq!(head.headers["grpc-message"], "no way");
        assert_eq!(head.headers["x"], "1");
        assert!(!head.headers.contains_key(CONTENT_LENGTH));
        assert!(body.is_empty());
    }

    #[test]
    fn a_given_grpc_status_and_fields_win() {
        let response = LocalResponse {
            grpc_status: Some(5),
            ..denied()
        };
        let (head, _) = response.clone().into_message(true, false);
        assert_eq!(head.headers["grpc-status"], "5");
        let (head, _) = with(response, &[("grpc-status", "3"), ("grpc-message", "mine")])
            .into_message(true, false);
        assert_eq!(head.headers["grpc-status"], "3");
        assert_eq!(head.headers["grpc-message"], "mine");
    }

    #[test]
    fn an_empty_body_gives_no_grpc_message() {
        for body in ["", "\n"] {
            let (head, _) =
                LocalResponse::with_text(StatusCode::FORBIDDEN, body, "").into_message(true, false);
            assert!(!head.headers.contains_key("grpc-message"));
        }
    }

    #[test]
    fn http_statuses_have_grpc_statuses() {
        let table = [
            (400, 13),
            (401, 16),
            (403, 7),
            (404, 12),
            (429, 14),
            (502, 14),
            (503, 14),
            (504, 14),
        ];
        for (http, grpc) in table.into_iter().chain([(200, 2), (418, 2), (500, 2)]) {
            assert_eq!(
                grpc_status_of(StatusCode::from_u16(http).unwrap()),
                grpc,
                "{http}"
            );
        }
    }

    #[test]
    fn messages_are_percent_encoded() {
        assert_eq!(percent_encode(b"plain text!"), "plain text!");
        assert_eq!(
            percent_encode("100% ~ \r\n\u{e9}\0".as_bytes()),
            "100%25 %7E %0D%0A%C3%A9%00"
        );
    }

    #[test]
    fn details_are_one_word() {
        assert_eq!(one_word("a b\tc\r\nd\x0be\x0cf"), "a_b_c__d_e_f");
    }
}

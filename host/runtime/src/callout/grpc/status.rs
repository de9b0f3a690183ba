//! How a gRPC call has ended.

use http::{HeaderMap, StatusCode};
use proxy_wasi_stream::grpc_status_of;

use super::framing::FramingError;
use crate::callout::CalloutFailure;
use crate::upstream::UpstreamErrorKind;

const UNKNOWN: u32 = 2;
const RESOURCE_EXHAUSTED: u32 = 8;
const INTERNAL: u32 = 13;
const UNAVAILABLE: u32 = 14;
const UNAUTHENTICATED: u32 = 16;

/// A gRPC status with its explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrpcStatus {
    /// 0 to 16; 0 is success.
    pub(crate) code: u32,
    /// May be empty.
    pub(crate) message: String,
}

impl GrpcStatus {
    /// The code for a timeout.
    pub(crate) const DEADLINE_EXCEEDED: u32 = 4;

    fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The status that a server has sent, in trailers or in the only headers.
    pub(super) fn sent(fields: &HeaderMap) -> Option<Self> {
        let code = fields.get("grpc-status")?;
        let code = code
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            // Codes that nobody knows are that.
            .filter(|code| *code <= UNAUTHENTICATED)
            .unwrap_or(UNKNOWN);
        let message = fields
            .get("grpc-message")
            .map(|message| percent_decoded(message.as_bytes()))
            .unwrap_or_default();
        Some(Self { code, message })
    }

    /// What a response's head alone says, if it is no gRPC response (the gRPC project's `http-grpc-status-mapping`).
    pub(super) fn of_head(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        if status != StatusCode::OK {
            let message = format!("the server answered with HTTP status {}", status.as_u16());
            let of_status = || Self::new(grpc_status_of(status), message);
            return Some(Self::sent(headers).unwrap_or_else(of_status));
        }
        let is_grpc = headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        let message = "the response's content-type is not application/grpc";
        (!is_grpc && !headers.contains_key("grpc-status")).then(|| Self::new(UNKNOWN, message))
    }

    /// The response has ended without one.
    pub(super) fn missing() -> Self {
        Self::new(UNKNOWN, "the response ended without a grpc-status")
    }

    /// A unary call has not exactly one message.
    pub(super) fn not_one_message() -> Self {
        Self::new(
            INTERNAL,
            "the response of a unary call is exactly one message",
        )
    }

    pub(super) fn of_framing(error: FramingError, limit: usize) -> Self {
        match error {
            FramingError::Compressed => {
                Self::new(INTERNAL, "a message is compressed, which was not offered")
            }
            FramingError::TooLarge => Self::new(
                RESOURCE_EXHAUSTED,
                format!("a message has more than {limit} bytes; see `limits.callout_response`"),
            ),
            FramingError::Incomplete => Self::new(INTERNAL, "the last message is not complete"),
        }
    }

    pub(super) fn of_failure(failure: &CalloutFailure) -> Self {
        let code = match failure {
            CalloutFailure::Timeout(_) | CalloutFailure::Unfinished(_) => Self::DEADLINE_EXCEEDED,
            CalloutFailure::TooLarge(_) => RESOURCE_EXHAUSTED,
            CalloutFailure::Incomplete(_) => UNAVAILABLE,
            CalloutFailure::Upstream(error) => match error.kind() {
                UpstreamErrorKind::ResponseTimeout
                | UpstreamErrorKind::IdleTimeout
                | UpstreamErrorKind::RequestTimeout => Self::DEADLINE_EXCEEDED,
                UpstreamErrorKind::Protocol
                | UpstreamErrorKind::Request
                | UpstreamErrorKind::RequestBody => INTERNAL,
                UpstreamErrorKind::Resolve
                | UpstreamErrorKind::Connect
                | UpstreamErrorKind::Tls
                | UpstreamErrorKind::NoHttp2
                | UpstreamErrorKind::ConnectTimeout
                | UpstreamErrorKind::Overloaded
                | UpstreamErrorKind::Reset => UNAVAILABLE,
            },
        };
        Self::new(code, failure.causes())
    }
}

/// gRPC's `Percent-Encoded`: what is no such triple stands for itself.
fn percent_decoded(bytes: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let triple = digits
            .filter(|two| byte == b'%' && two.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        decoded.push(triple.unwrap_or(byte));
        rest = after
            .get(if triple.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(entries: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in entries {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn reads_what_servers_send() {
        let sent = |entries: &[(&'static str, &str)]| {
            GrpcStatus::sent(&fields(entries)).map(|status| (status.code, status.message))
        };
        assert_eq!(sent(&[]), None);
        assert_eq!(sent(&[("grpc-status", "0")]), Some((0, String::new())));
        assert_eq!(
            sent(&[("grpc-status", "5"), ("grpc-message", "no %22x%22%2")]),
            Some((5, "no \"x\"%2".to_owned()))
        );
        for odd in ["17", "-1", "x", ""] {
            assert_eq!(
                sent(&[("grpc-status", odd)]),
                Some((UNKNOWN, String::new()))
            );
        }
    }

    #[test]
    fn knows_responses_that_are_not_grpc() {
        let code = |status: u16, entries: &[(&'static str, &str)]| {
            let status = StatusCode::from_u16(status).unwrap();
            GrpcStatus::of_head(status, &fields(entries)).map(|status| status.code)
        };
        let grpc = ("content-type", "application/grpc+proto");
        assert_eq!(code(200, &[grpc]), None);
        assert_eq!(code(200, &[("content-type", "text/html")]), Some(UNKNOWN));
        assert_eq!(code(200, &[("grpc-status", "5")]), None);
        assert_eq!(code(404, &[]), Some(12));
        assert_eq!(code(503, &[]), Some(UNAVAILABLE));
        assert_eq!(code(503, &[("grpc-status", "9")]), Some(9));
    }
}

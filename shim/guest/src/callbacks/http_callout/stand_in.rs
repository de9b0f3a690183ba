//! Responses that stand in for answers to HTTP callouts that did not come (ABI reference 6.5).
//!
//! Envoy's HTTP client makes them when it gets no response head. Plugins rely on it: many read `:status` of an answer
//! without looking whether there are headers, which the Rust SDK punishes with a panic.

use crate::bindings::proxy_wasm::plugin::plugin_types::Fields;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::hostcalls::header_map::field::status_text;

/// A response as Envoy makes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StandIn {
    status: u16,
    body: &'static str,
}

impl StandIn {
    /// The response in place of an answer that this befell; none if only a part of the answer is missing, or if the
    /// request was never sent.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a failure that is not listed leaves a part of an answer, or nothing that was sent"
    )]
    pub(super) fn of(failure: &ErrorCode) -> Option<Self> {
        let (status, body) = match failure {
            ErrorCode::HttpResponseTimeout => (504, "upstream request timeout"),
            ErrorCode::DnsTimeout
            | ErrorCode::DnsError(_)
            | ErrorCode::DestinationNotFound
            | ErrorCode::DestinationUnavailable => (503, "no healthy upstream"),
            ErrorCode::ConnectionRefused
            | ErrorCode::TlsProtocolError
            | ErrorCode::TlsCertificateError
            | ErrorCode::TlsAlertReceived(_) => (
                503,
                "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
            ),
            ErrorCode::ConnectionTimeout => (
                503,
                "upstream connect error or disconnect/reset before headers. reset reason: connection timeout",
            ),
            ErrorCode::ConnectionTerminated => (
                503,
                "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
            ),
            ErrorCode::ConnectionLimitReached => (
                503,
                "upstream connect error or disconnect/reset before headers. reset reason: overflow",
            ),
            ErrorCode::HttpProtocolError => (
                502,
                "upstream connect error or disconnect/reset before headers. reset reason: protocol error",
            ),
            _ => return None,
        };
        Some(Self { status, body })
    }

    /// Its header fields, with `:status`.
    pub(super) fn headers(&self) -> Fields {
        [
            (":status", status_text(self.status).to_vec()),
            ("content-length", self.body.len().to_string().into_bytes()),
            ("content-type", b"text/plain".to_vec()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Its body.
    pub(super) fn body(&self) -> &'static [u8] {
        self.body.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kept_a_head_from_coming_is_told_as_a_response() {
        let timeout = StandIn::of(&ErrorCode::HttpResponseTimeout).unwrap();
        assert_eq!(timeout.body(), b"upstream request timeout");
        assert_eq!(
            timeout.headers(),
            [
                (":status".to_owned(), b"504".to_vec()),
                ("content-length".to_owned(), b"24".to_vec()),
                ("content-type".to_owned(), b"text/plain".to_vec()),
            ]
        );
        let refused = StandIn::of(&ErrorCode::ConnectionRefused).unwrap();
        assert_eq!(refused.status, 503);
    }

    #[test]
    fn a_part_of_an_answer_is_none() {
        for failure in [
            ErrorCode::HttpResponseIncomplete,
            ErrorCode::ConnectionReadTimeout,
            ErrorCode::HttpResponseBodySize(None),
            ErrorCode::InternalError(None),
        ] {
            assert_eq!(StandIn::of(&failure), None);
        }
    }
}

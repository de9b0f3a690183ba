//! Failures of callouts in the words of `wasi:http`.

use crate::callout::CalloutFailure;
use crate::upstream::UpstreamErrorKind;
use crate::vm::bindings::wasi::http::types::{DnsErrorPayload, ErrorCode};

/// The code that a plugin gets.
pub(in crate::vm) fn error_code(failure: &CalloutFailure) -> ErrorCode {
    match failure {
        CalloutFailure::Timeout(_) => ErrorCode::HttpResponseTimeout,
        // Another code than the above: modules get no response in place of one that has begun.
        CalloutFailure::Unfinished(_) => ErrorCode::ConnectionReadTimeout,
        CalloutFailure::TooLarge(limit) => {
            ErrorCode::HttpResponseBodySize(u64::try_from(*limit).ok())
        }
        CalloutFailure::Incomplete(_) => ErrorCode::HttpResponseIncomplete,
        CalloutFailure::Upstream(error) => match error.kind() {
            UpstreamErrorKind::Resolve => ErrorCode::DnsError(DnsErrorPayload {
                rcode: None,
                info_code: None,
            }),
            UpstreamErrorKind::Connect => ErrorCode::ConnectionRefused,
            UpstreamErrorKind::Tls => ErrorCode::TlsProtocolError,
            UpstreamErrorKind::ConnectTimeout => ErrorCode::ConnectionTimeout,
            UpstreamErrorKind::Overloaded => ErrorCode::ConnectionLimitReached,
            UpstreamErrorKind::Reset => ErrorCode::ConnectionTerminated,
            UpstreamErrorKind::ResponseTimeout
            | UpstreamErrorKind::IdleTimeout
            | UpstreamErrorKind::RequestTimeout => ErrorCode::HttpResponseTimeout,
            UpstreamErrorKind::NoHttp2 | UpstreamErrorKind::Protocol => {
                ErrorCode::HttpProtocolError
            }
            UpstreamErrorKind::Request | UpstreamErrorKind::RequestBody => {
                ErrorCode::InternalError(None)
            }
        },
    }
}

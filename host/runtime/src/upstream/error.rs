//! Why an upstream did not answer.

use std::fmt;

use http::StatusCode;
use thiserror::Error;

use crate::BoxError;

/// What went wrong between the proxy and an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamErrorKind {
    /// The host name has no address.
    Resolve,
    /// No connection: refused, unreachable, or closed during the handshake.
    Connect,
    /// No TLS on the connection: the handshake failed, or the server's certificate is not trusted.
    Tls,
    /// The server speaks HTTP/1.1 only, and the request needs HTTP/2.
    NoHttp2,
    /// No connection within the connect timeout.
    ConnectTimeout,
    /// The cluster has as many connections as it may.
    Overloaded,
    /// The connection ended before the exchange did.
    Reset,
    /// No response head within the response timeout.
    ResponseTimeout,
    /// The exchange made no progress for the idle timeout: the upstream sent or took nothing.
    IdleTimeout,
    /// The upstream's bytes are not HTTP, or break its rules.
    Protocol,
    /// The request cannot be expressed upstream.
    Request,
    /// The request's body could not be read to its end: the downstream broke off, or broke the rules of HTTP.
    RequestBody,
    /// The request's body did not go on for the idle timeout: the upstream waited for the downstream.
    RequestTimeout,
}

impl UpstreamErrorKind {
    /// The status of the response that tells the downstream.
    ///
    /// Envoy's choices: 503 when no upstream took the request, 504 when one took too long, 502 for one that does not
    /// speak HTTP; 408 when it is the request that did not come.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Resolve
            | Self::Connect
            | Self::Tls
            | Self::ConnectTimeout
            | Self::Overloaded
            | Self::Reset => StatusCode::SERVICE_UNAVAILABLE,
            Self::ResponseTimeout | Self::IdleTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::NoHttp2 | Self::Protocol => StatusCode::BAD_GATEWAY,
            Self::Request | Self::RequestBody => StatusCode::BAD_REQUEST,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// Whether it is not the upstream that failed, but the request.
    #[must_use]
    pub fn is_of_request(self) -> bool {
        self.status().is_client_error()
    }

    /// What went wrong with the connection itself; empty if that is not what went wrong.
    #[must_use]
    pub fn transport_failure(self) -> &'static str {
        match self {
            Self::Resolve | Self::Connect | Self::Tls | Self::ConnectTimeout => self.text(),
            Self::NoHttp2
            | Self::Overloaded
            | Self::Reset
            | Self::ResponseTimeout
            | Self::IdleTimeout
            | Self::Protocol
            | Self::Request
            | Self::RequestBody
            | Self::RequestTimeout => "",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Resolve => "host name not resolved",
            Self::Connect => "no connection",
            Self::Tls => "no TLS connection",
            Self::NoHttp2 => "the server does not speak HTTP/2",
            Self::ConnectTimeout => "no connection within the connect timeout",
            Self::Overloaded => "too many connections",
            Self::Reset => "connection lost",
            Self::ResponseTimeout => "no response within the response timeout",
            Self::IdleTimeout => "no progress within the idle timeout",
            Self::Protocol => "response breaks the rules of HTTP",
            Self::Request => "request not sent",
            Self::RequestBody => "request not read to its end",
            Self::RequestTimeout => "the request's body did not go on within the idle timeout",
        }
    }
}

impl fmt::Display for UpstreamErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A request that an upstream did not answer, or not to the end.
#[derive(Debug, Error)]
#[error("upstream `{cluster}`: {kind}")]
pub struct UpstreamError {
    kind: UpstreamErrorKind,
    cluster: String,
    source: Option<BoxError>,
}

impl UpstreamError {
    pub(super) fn new(kind: UpstreamErrorKind, cluster: &str, source: Option<BoxError>) -> Self {
        Self {
            kind,
            cluster: cluster.to_owned(),
            source,
        }
    }

    /// Classifies what hyper reports about a connection.
    pub(super) fn from_hyper(cluster: &str, error: hyper::Error) -> Self {
        let kind = if error.is_parse() {
            UpstreamErrorKind::Protocol
        } else if error.is_user() {
            UpstreamErrorKind::Request
        } else {
            UpstreamErrorKind::Reset
        };
        Self::new(kind, cluster, Some(error.into()))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> UpstreamErrorKind {
        self.kind
    }

    /// The name of the cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The status of the response that tells the downstream, see [`UpstreamErrorKind::status`].
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }
}

//! Requests that get no response from an upstream, and what they get instead.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use proxy_wasi_stream::LocalResponse;

use crate::server::intermediary::Rejection;
use crate::upstream::{UpstreamError, UpstreamErrorKind};

/// Why there is no response from the upstream.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamFailure {
    #[error("no route matches the request")]
    NoRoute,
    #[error(transparent)]
    Unreachable(#[from] UpstreamError),
    #[error("the upstream's response cannot be passed on")]
    Refused(#[from] Rejection),
}

impl UpstreamFailure {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Unreachable(error) => error.status(),
            Self::Refused(rejection) => rejection.status,
        }
    }

    /// What went wrong; nothing if no upstream was tried.
    pub(super) fn kind(&self) -> Option<UpstreamErrorKind> {
        match self {
            Self::NoRoute => None,
            Self::Unreachable(error) => Some(error.kind()),
            Self::Refused(_) => Some(UpstreamErrorKind::Protocol),
        }
    }

    /// What a client may know: whether it was the upstream or the request, not where the upstream is.
    fn text(&self) -> &'static str {
        match self.status() {
            StatusCode::BAD_REQUEST => "the request cannot be sent on\n",
            StatusCode::REQUEST_TIMEOUT => "the request did not go on\n",
            StatusCode::NOT_FOUND => "no route\n",
            StatusCode::GATEWAY_TIMEOUT => "upstream timed out\n",
            StatusCode::SERVICE_UNAVAILABLE => "upstream unavailable\n",
            _ => "upstream failed\n",
        }
    }

    /// Envoy's words in access logs and the property `response.code_details`, where there are such.
    fn details(&self) -> &'static str {
        match self {
            Self::NoRoute => "route_not_found",
            Self::Unreachable(_) | Self::Refused(_) => "upstream_failure",
        }
    }

    fn log(&self) {
        match self {
            // What clients do is no event.
            Self::NoRoute => tracing::debug!("no route matches the request"),
            Self::Unreachable(error) if error.kind().is_of_request() => {
                // The error itself names the upstream, which is not concerned.
                let error = error
                    .source()
                    .map_or_else(|| error.kind().to_string(), causes);
                tracing::debug!(error, "downstream failed");
            }
            Self::Unreachable(_) | Self::Refused(_) => {
                tracing::warn!(error = causes(self), "upstream failed");
            }
        }
    }

    /// The response of a proxy without plugins.
    pub(super) fn response(&self) -> Response<Full<Bytes>> {
        self.log();
        let mut response = Response::new(Full::from(self.text()));
        *response.status_mut() = self.status();
        text(response.headers_mut());
        response
    }

    /// The response that passes the chain.
    pub(super) fn local_response(&self) -> LocalResponse {
        self.log();
        LocalResponse {
            status: self.status(),
            headers: HeaderMap::new(),
            body: self.text().into(),
            grpc_status: None,
            details: self.details().into(),
        }
    }
}

/// An error and what it came from, in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

fn text(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
}

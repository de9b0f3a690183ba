//! Responses that a plugin makes itself.

use crate::bindings::proxy_wasm::plugin::http_stream::{self, LocalResponseError};
use crate::bindings::proxy_wasm::plugin::plugin_types::GrpcStatus;
use crate::bindings::wasi::http::types::StatusCode;
use crate::error::Refused;
use crate::headers::{FieldValue, Fields};

/// A response that a plugin makes itself, for [`Exchange::respond`](crate::Exchange::respond).
///
/// ```
/// # use proxy_wasi_sdk::LocalResponse;
/// let response = LocalResponse::new(401).header("www-authenticate", "Bearer").body("who are you?\n");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a local response is sent with `Exchange::respond`"]
pub struct LocalResponse {
    status: StatusCode,
    headers: Fields,
    body: Vec<u8>,
    grpc_status: Option<GrpcStatus>,
    details: String,
}

impl LocalResponse {
    /// Makes a response without body. `status`: 200 to 599.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: Fields::new(),
            body: Vec::new(),
            grpc_status: None,
            details: String::new(),
        }
    }

    /// Adds a header field. The host makes `content-length`, and with a body `content-type: text/plain` unless there is
    /// one.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the status, 0 to 16, for gRPC requests, which get it instead of a body. By default it is derived from the
    /// HTTP status.
    pub fn grpc_status(mut self, status: GrpcStatus) -> Self {
        self.grpc_status = Some(status);
        self
    }

    /// Says why, in a word, for access logs and the property `response.code_details`.
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    pub(crate) fn send(self, context: u64) -> Result<(), Refused<LocalResponseError>> {
        let status = self.status;
        http_stream::send_local_response(
            context,
            http_stream::LocalResponse {
                status,
                headers: &self.headers.into_entries(),
                body: &self.body,
                grpc_status: self.grpc_status,
                details: &self.details,
            },
        )
        .map_err(|reason| Refused::new(format_args!("local response {status}"), reason))
    }
}

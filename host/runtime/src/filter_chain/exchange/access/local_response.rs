//! Local responses, as plugins give them.

use std::borrow::Cow;

use proxy_wasi_stream as stream;

use super::header_map;
use crate::vm::{LocalResponse, LocalResponseError, final_status};

/// Checks a local response.
pub(super) fn local_response(
    response: LocalResponse,
) -> Result<stream::LocalResponse, LocalResponseError> {
    let status = final_status(response.status).ok_or(LocalResponseError::InvalidStatus)?;
    if response.grpc_status.is_some_and(|status| status > 16) {
        return Err(LocalResponseError::InvalidGrpcStatus);
    }
    // With room for what the machine adds.
    let headers =
        header_map(&response.headers, 2).map_err(|_error| LocalResponseError::InvalidHeader)?;
    Ok(stream::LocalResponse {
        status,
        headers,
        body: response.body.into(),
        grpc_status: response.grpc_status,
        details: printable(&response.details).into_owned(),
    })
}

/// Details end in logs, as one word (ABI 4.8).
fn printable(details: &str) -> Cow<'_, str> {
    let separates = |c: char| c.is_whitespace() || c.is_control();
    if details.contains(separates) {
        details.replace(separates, "_").into()
    } else {
        details.into()
    }
}

//! Local responses, as plugins give them.

use std::borrow::Cow;

use http::StatusCode;
use proxy_wasi_stream as stream;

use super::{name, value};
use crate::vm::{HeaderError, LocalResponse, LocalResponseError};

/// Checks a local response.
pub(super) fn local_response(
    response: LocalResponse,
) -> Result<stream::LocalResponse, LocalResponseError> {
    let status = match response.status {
        200..=599 => {
            StatusCode::from_u16(response.status).map_err(|_| LocalResponseError::InvalidStatus)?
        }
        _ => return Err(LocalResponseError::InvalidStatus),
    };
    if response.grpc_status.is_some_and(|status| status > 16) {
        return Err(LocalResponseError::InvalidGrpcStatus);
    }
    let headers = response
        .headers
        .iter()
        .map(|(field, bytes)| Ok((name(field)?, value(bytes)?)))
        .collect::<Result<_, HeaderError>>()
        .map_err(|_| LocalResponseError::InvalidHeader)?;
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

//! Responses on their way back.

use http::header::{self, HeaderMap};
use http::{Response, StatusCode, Version};

use super::{Rejection, connection_fields};

/// Admits an upstream's response, changing its head so that it can be passed on, or rejects it.
///
/// Afterwards no field concerns the upstream's connection, there is at most one `content-length` and none where there
/// cannot be a body, and the version is the proxy's own. `date` and `server` stay as the upstream sent them; the server
/// adds a `date` if there is none (RFC 9110, 6.6.1).
///
/// # Errors
///
/// Returns the rejection to answer with if the response cannot be passed on.
pub fn admit_response<B>(response: &mut Response<B>) -> Result<(), Rejection> {
    let status = response.status();
    if status.is_informational() {
        return Err(Rejection::new(
            StatusCode::BAD_GATEWAY,
            "upstream switched protocols without being asked",
        ));
    }
    *response.version_mut() = Version::HTTP_11;
    let headers = response.headers_mut();
    let census = Census::of(headers);
    if census.transfer_encoding {
        check_coding(headers)?;
        // RFC 9112, 6.3: transfer-encoding overrides, and the proxy frames the message itself.
        headers.remove(header::CONTENT_LENGTH);
    } else if census.content_lengths > 1 {
        keep_one_length(headers)?;
    }
    if census.content_lengths > 0 && status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    }
    if census.connection_fields {
        connection_fields::strip(headers);
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Census {
    content_lengths: usize,
    transfer_encoding: bool,
    connection_fields: bool,
}

impl Census {
    fn of(headers: &HeaderMap) -> Self {
        let mut census = Self::default();
        for (name, _) in headers {
            match name.as_str() {
                "content-length" => census.content_lengths += 1,
                "transfer-encoding" => {
                    census.transfer_encoding = true;
                    census.connection_fields = true;
                }
                "connection" | "upgrade" | "te" | "keep-alive" | "proxy-connection" => {
                    census.connection_fields = true
                }
                _ => {}
            }
        }
        census
    }
}

/// The proxy undoes `chunked`; any other coding would be passed on without its name.
fn check_coding(headers: &HeaderMap) -> Result<(), Rejection> {
    let mut values = headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = |value: &header::HeaderValue| {
        value
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"chunked")
    };
    match (values.next(), values.next()) {
        (Some(only), None) if chunked(only) => Ok(()),
        _ => Err(Rejection::new(
            StatusCode::BAD_GATEWAY,
            "upstream used a transfer-encoding other than chunked",
        )),
    }
}

fn keep_one_length(headers: &mut HeaderMap) -> Result<(), Rejection> {
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = values.next() else {
        return Ok(());
    };
    if values.any(|value| value != first) {
        return Err(Rejection::new(
            StatusCode::BAD_GATEWAY,
            "upstream sent contradicting content-length fields",
        ));
    }
    let first = first.clone();
    headers.insert(header::CONTENT_LENGTH, first);
    Ok(())
}

#[cfg(test)]
mod tests;

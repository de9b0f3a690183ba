//! Responses on their way back.

use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode, Version};

use super::Rejection;
use crate::connection_fields::{is_about_connection, strip};

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
    } else if census.content_lengths > 1 || census.length_list {
        keep_one_length(headers)?;
    }
    if census.content_lengths > 0 && status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    }
    if census.connection_fields {
        strip(headers);
    }
    Ok(())
}

/// Makes a response's head fit to be sent whatever plugins have put into it: without fields about the connection, and
/// without `content-length` where there is no content to be long (RFC 9110, 8.6).
pub fn finish_response_head(status: StatusCode, headers: &mut HeaderMap) {
    strip(headers);
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    }
}

#[derive(Debug, Default)]
struct Census {
    content_lengths: usize,
    /// A `content-length` is a list, or no number at all.
    length_list: bool,
    transfer_encoding: bool,
    connection_fields: bool,
}

impl Census {
    fn of(headers: &HeaderMap) -> Self {
        let mut census = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "content-length" => {
                    census.content_lengths += 1;
                    census.length_list |= !value.as_bytes().iter().all(u8::is_ascii_digit);
                }
                "transfer-encoding" => {
                    census.transfer_encoding = true;
                    census.connection_fields = true;
                }
                other => census.connection_fields |= is_about_connection(other),
            }
        }
        census
    }
}

/// The proxy undoes `chunked`; any other coding would be passed on without its name.
fn check_coding(headers: &HeaderMap) -> Result<(), Rejection> {
    let mut values = headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = |value: &HeaderValue| {
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

/// RFC 9110, 8.6: the same number several times, in fields or in a list, becomes one.
fn keep_one_length(headers: &mut HeaderMap) -> Result<(), Rejection> {
    let values = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut lengths = values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(length);
    let Some(first) = lengths.next() else {
        return Ok(());
    };
    let (Some(length), true) = (first, lengths.all(|length| length == first)) else {
        return Err(Rejection::new(
            StatusCode::BAD_GATEWAY,
            "upstream sent contradicting or invalid content-length fields",
        ));
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok(())
}

fn length(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text)
        .ok()
        .filter(|_| is_number)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests;

//! Local responses (ABI reference 4.8).

use proxy_wasi_abi::{LogLevel, pairs};

use super::Answer;
use crate::active;
use crate::bindings::proxy_wasm::plugin::http_stream::{self, LocalResponse, LocalResponseError};
use crate::bindings::proxy_wasm::plugin::plugin_types::StreamContext;
use crate::log;
use crate::memory::{self, Input};

/// `proxy_send_local_response`. Whatever cannot be sent, the status is `Ok`, and the request is answered.
pub(crate) fn send(
    status: u32,
    details: Input,
    body: Input,
    headers: Input,
    grpc_status: u32,
) -> Answer {
    let Some(stream) = active::effective().stream() else {
        return memory::with_inputs([details, body, headers], |_| ());
    };
    let response = memory::with_inputs([details, body, headers], |[details, body, headers]| {
        LocalResponse {
            // What is no status at all is refused by the host like any other bad one.
            status: u16::try_from(status).unwrap_or(0),
            headers: fields(headers),
            body: body.to_vec(),
            grpc_status: (grpc_status <= 16).then_some(grpc_status),
            details: detail(details),
        }
    })?;
    send_anyway(stream, response);
    Ok(())
}

/// Sends a response. A plugin that denies a request must have it denied, also if it describes the answer badly: a
/// status that does not exist becomes 500, headers that cannot be sent are left out.
fn send_anyway(stream: StreamContext, mut response: LocalResponse) {
    loop {
        let (left_out, text) = match http_stream::send_local_response(stream, &response) {
            Ok(()) | Err(LocalResponseError::UnknownStream) => return,
            Err(LocalResponseError::InvalidStatus) => (
                std::mem::replace(&mut response.status, 500) != 500,
                "the status of a local response is not 200 to 599: 500 is sent",
            ),
            Err(LocalResponseError::InvalidHeader) => leave_out_headers(&mut response.headers),
            Err(LocalResponseError::InvalidGrpcStatus) => (
                response.grpc_status.take().is_some(),
                "the gRPC status of a local response is not 0 to 16: it is left out",
            ),
        };
        if !left_out {
            return;
        }
        log::shim(LogLevel::Warn, text);
    }
}

/// Leaves out the headers that are malformed, or all if none is: then they are too many. Returns whether there were any,
/// and what to say of it.
fn leave_out_headers(headers: &mut Vec<(String, Vec<u8>)>) -> (bool, &'static str) {
    let all = headers.len();
    headers.retain(|(name, value)| is_name(name) && is_value(value));
    if headers.len() < all {
        let text = "a header of a local response is malformed: it is left out";
        return (true, text);
    }
    headers.clear();
    (
        all > 0,
        "the headers of a local response are too many: it is sent without headers",
    )
}

/// Whether this can be the name of a field (RFC 9110, 5.6.2).
fn is_name(name: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_tchar)
}

/// Whether this can be the value of a field (RFC 9110, 5.5).
fn is_value(value: &[u8]) -> bool {
    value
        .iter()
        .all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

/// Header fields of a list. Pseudo-headers have no place in it.
fn fields(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let fields = pairs::decode(bytes).filter(|(name, _)| !name.starts_with(b":"));
    fields
        .map(|(name, value)| (log::text(name).into_owned(), value.to_vec()))
        .collect()
}

/// A detail for access logs, whose fields blanks separate.
fn detail(bytes: &[u8]) -> String {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'\x0b' | b'\x0c');
    let bytes: Vec<u8> = bytes
        .iter()
        .map(|byte| if blank(byte) { b'_' } else { *byte })
        .collect();
    log::text(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_one_word() {
        assert_eq!(detail(b"no such\tuser\r\n"), "no_such_user__");
        assert_eq!(detail(b""), "");
        assert_eq!(detail(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn only_malformed_headers_are_left_out() {
        let field = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let good = [field("x-a", b"\t1 \xff"), field("X!", b"")];
        let mut headers = good.to_vec();
        for bad in [
            field("x b", b""),
            field("", b"1"),
            field("x-\u{fffd}", b""),
            field("x-c", b"1\r\nx-d: 2"),
            field("x-e", b"\0"),
        ] {
            headers.push(bad);
        }
        assert!(leave_out_headers(&mut headers).0);
        assert_eq!(headers, good);
        assert!(leave_out_headers(&mut headers).0);
        assert!(headers.is_empty());
        assert!(!leave_out_headers(&mut headers).0);
    }

    #[test]
    fn pseudo_headers_are_left_out() {
        let list = pairs::encode([(":status", "200"), ("x-a", "1")]);
        assert_eq!(fields(&list), [("x-a".to_owned(), b"1".to_vec())]);
        assert_eq!(fields(b"garbage"), []);
    }
}

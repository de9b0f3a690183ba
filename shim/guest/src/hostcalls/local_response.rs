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
            Err(LocalResponseError::InvalidHeader) => {
                let headers = std::mem::take(&mut response.headers);
                (
                    !headers.is_empty(),
                    "a header of a local response is malformed: it is sent without headers",
                )
            }
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
    fn pseudo_headers_are_left_out() {
        let list = pairs::encode([(":status", "200"), ("x-a", "1")]);
        assert_eq!(fields(&list), [("x-a".to_owned(), b"1".to_vec())]);
        assert_eq!(fields(b"garbage"), []);
    }
}

//! gRPC: `/unary/CLUSTER/TEXT` answers with the message, or `close CODE`. `/stream/CLUSTER/TEXT,TEXT` sends the texts, ends
//! its side, and answers with everything that has come when the stream is closed. `/cancel/CLUSTER` cancels its stream at
//! the first message, and answers then.

use std::time::Duration;

use proxy_wasm::traits::Context;
use proxy_wasm::types::{Bytes, Status};

pub(crate) const SERVICE: &str = "test.Echo";

/// Long enough for a test that passes; `slow` is not answered.
const TIMEOUT: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// What has come of a stream.
#[derive(Default)]
pub(crate) struct GrpcStream {
    heard: Vec<String>,
    pub(crate) cancels: bool,
}

impl GrpcStream {
    pub(crate) fn heard(&mut self, event: String) {
        self.heard.push(event);
    }

    pub(crate) fn said(&self) -> String {
        self.heard.join("; ")
    }
}

pub(crate) fn call(context: &dyn Context, cluster: &str, text: &str) -> Result<u32, Status> {
    let timeout = if text == "slow" { SHORT } else { TIMEOUT };
    context.dispatch_grpc_call(
        cluster,
        SERVICE,
        "Say",
        vec![("x-meta", b"m".as_slice())],
        Some(&encode(text)),
        timeout,
    )
}

pub(crate) fn call_outcome(context: &dyn Context, status: u32, size: usize) -> String {
    if status == 0 {
        return format!(
            "message {}",
            decode(context.get_grpc_call_response_body(0, size))
        );
    }
    let (_, message) = context.get_grpc_status();
    format!("close {status} {}", message.unwrap_or_default())
}

/// A message with one string field of less than 128 bytes.
pub(crate) fn encode(text: &str) -> Vec<u8> {
    let mut message = vec![0x0a, u8::try_from(text.len()).unwrap_or(0)];
    message.extend_from_slice(text.as_bytes());
    message
}

pub(crate) fn decode(message: Option<Bytes>) -> String {
    lossy(message.map(|message| message.get(2..).unwrap_or_default().to_vec()))
}

pub(crate) fn lossy(bytes: Option<Bytes>) -> String {
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

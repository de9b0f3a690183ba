//! gRPC: see `legacy-callout`.

use std::time::Duration;

use proxy_wasi_sdk::prelude::*;
use proxy_wasi_sdk::{CalloutError, CalloutId, FieldValue, Fields, GrpcEvent, GrpcMethod, Refused};

const SERVICE: &str = "test.Echo";

/// Long enough for a test that passes; `slow` is not answered.
const TIMEOUT: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// What has come of a stream.
#[derive(Default)]
pub(crate) struct GrpcStream {
    heard: Vec<String>,
    is_stream: bool,
    cancels: bool,
}

type Started = Result<CalloutId, Refused<CalloutError>>;

fn method(cluster: &str, name: &str) -> GrpcMethod {
    let mut metadata = Fields::new();
    metadata.append("x-meta", "m");
    GrpcMethod::new(cluster, SERVICE, name).metadata(metadata)
}

pub(crate) fn call(exchange: &Exchange<'_>, cluster: &str, text: &str) -> Started {
    let timeout = if text == "slow" { SHORT } else { TIMEOUT };
    exchange.call_grpc(&method(cluster, "Say"), &encode(text), Some(timeout))
}

impl GrpcStream {
    pub(crate) fn open(
        &mut self,
        exchange: &Exchange<'_>,
        cluster: &str,
        texts: &str,
        cancels: bool,
    ) -> Result<Started> {
        self.is_stream = true;
        self.cancels = cancels;
        let opened = exchange.open_grpc(&method(cluster, "Chat"));
        let Ok(id) = opened else { return Ok(opened) };
        let texts: Vec<_> = texts.split(',').collect();
        for (at, text) in texts.iter().enumerate() {
            let last = at + 1 == texts.len() && !cancels;
            exchange.root().send_grpc(id, &encode(text), last)?;
        }
        Ok(opened)
    }

    /// Notes an event; the answer to the request, if it is the last one.
    pub(crate) fn heard(
        &mut self,
        root: &Root,
        id: CalloutId,
        event: GrpcEvent,
    ) -> Result<Option<String>> {
        let (said, last) = match event {
            GrpcEvent::InitialMetadata(fields) => {
                (format!("initial {}", field(&fields, "x-initial")), false)
            }
            GrpcEvent::Message(message) => {
                if self.cancels {
                    root.cancel_grpc(id)?;
                }
                let text = lossy(message.get(2..));
                (format!("message {text}"), self.cancels || !self.is_stream)
            }
            GrpcEvent::TrailingMetadata(fields) => {
                (format!("trailing {}", field(&fields, "x-trailing")), false)
            }
            GrpcEvent::Close { status, message } if self.is_stream => {
                (format!("close {status} {status} {message}"), true)
            }
            GrpcEvent::Close { status, message } => (format!("close {status} {message}"), true),
        };
        self.heard.push(said);
        Ok(last.then(|| self.heard.join("; ")))
    }
}

/// A message with one string field of less than 128 bytes.
fn encode(text: &str) -> Vec<u8> {
    let mut message = vec![0x0a, u8::try_from(text.len()).unwrap_or(0)];
    message.extend_from_slice(text.as_bytes());
    message
}

fn field(fields: &Fields, name: &str) -> String {
    lossy(fields.get(name).map(FieldValue::as_bytes))
}

fn lossy(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

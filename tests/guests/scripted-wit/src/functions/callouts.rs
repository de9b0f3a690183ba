//! Callouts (ABI reference 4.9, 11.2).

use conformance_script::Answer;

use super::{Answered, named, pairs, text};
use crate::bindings::proxy_wasm::plugin::grpc_callout::{self, GrpcTarget};
use crate::bindings::proxy_wasm::plugin::http_callout::{self, CalloutRequest};
use crate::bindings::wasi::http::types::Method;
use crate::machine::{Context, Value};

use Value::{Bytes, Number};

/// Calls one of these functions.
pub(super) fn call(context: Context, function: &str, args: &[Value]) -> Option<Answered> {
    let ok = Answer::status(0);
    let answer = match (function, args) {
        (
            "http_call",
            [
                Bytes(cluster),
                Bytes(headers),
                Bytes(body),
                Bytes(trailers),
                Number(ms),
            ],
        ) => {
            let request = request(cluster, headers, body, trailers, *ms);
            let id = named!(http_callout::send(context.root, &request));
            return Some((ok, i64::try_from(id).ok()));
        }
        ("http_cancel", [Number(id)]) => {
            http_callout::cancel(*id as u64);
            ok
        }
        (
            "grpc_call",
            [
                Bytes(cluster),
                Bytes(service),
                Bytes(method),
                Bytes(metadata),
                Bytes(message),
                Number(ms),
            ],
        ) => {
            let target = target(cluster, service, method);
            let timeout = u64::try_from(*ms).ok().map(|ms| ms * 1_000_000);
            let metadata = pairs(metadata);
            let id = named!(grpc_callout::call(
                context.root,
                &target,
                &metadata,
                message,
                timeout
            ));
            return Some((ok, i64::try_from(id).ok()));
        }
        (
            "grpc_stream",
            [
                Bytes(cluster),
                Bytes(service),
                Bytes(method),
                Bytes(metadata),
            ],
        ) => {
            let target = target(cluster, service, method);
            let id = named!(grpc_callout::open(context.root, &target, &pairs(metadata)));
            return Some((ok, i64::try_from(id).ok()));
        }
        ("grpc_send", [Number(id), Bytes(message), Number(end)]) => {
            named!(grpc_callout::send(*id as u64, message, *end != 0));
            ok
        }
        ("grpc_close", [Number(id)]) => {
            named!(grpc_callout::close(*id as u64));
            ok
        }
        ("grpc_cancel", [Number(id)]) => {
            named!(grpc_callout::cancel(*id as u64));
            ok
        }
        _ => return None,
    };
    Some((answer, None))
}

fn target(cluster: &[u8], service: &[u8], method: &[u8]) -> GrpcTarget {
    GrpcTarget {
        cluster: text(cluster),
        service: text(service),
        method: text(method),
    }
}

fn request(
    cluster: &[u8],
    headers: &[u8],
    body: &[u8],
    trailers: &[u8],
    ms: i64,
) -> CalloutRequest {
    let mut request = CalloutRequest {
        cluster: text(cluster),
        method: Method::Get,
        scheme: None,
        authority: String::new(),
        path_with_query: String::new(),
        headers: Vec::new(),
        body: body.to_vec(),
        trailers: pairs(trailers),
        timeout: u64::try_from(ms)
            .ok()
            .filter(|ms| *ms > 0)
            .map(|ms| ms * 1_000_000),
    };
    for (name, value) in pairs(headers) {
        match name.as_str() {
            ":method" if value == b"GET" => {}
            ":method" => request.method = Method::Other(text(&value)),
            ":path" => request.path_with_query = text(&value),
            ":authority" => request.authority = text(&value),
            _ => request.headers.push((name, value)),
        }
    }
    request
}

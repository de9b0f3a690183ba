//! What becomes of a stream (ABI reference 4.7, 4.8).

use conformance_script::Answer;

use super::{Answered, message, named, pairs, stream_of, text};
use crate::bindings::proxy_wasm::plugin::http_stream::{self, LocalResponse};
use crate::bindings::proxy_wasm::plugin::plugin_types::Interest;
use crate::machine::{Context, Value};

use Value::{Bytes, Number};

/// Calls one of these functions.
pub(super) fn call(context: Context, function: &str, args: &[Value]) -> Option<Answered> {
    let ok = Answer::status(0);
    let stream = stream_of(context);
    let answer = match (function, args) {
        ("continue_stream", [Number(of)]) => {
            http_stream::resume(stream, message(*of));
            ok
        }
        ("narrow_interest", [Bytes(_)]) => {
            http_stream::narrow_interest(stream, Interest::empty());
            ok
        }
        ("close_stream", [Number(_)]) => {
            http_stream::reset(stream);
            ok
        }
        ("clear_route_cache", []) => {
            http_stream::clear_route_cache(stream);
            ok
        }
        (
            "send_local_response",
            [
                Number(status),
                Bytes(details),
                Bytes(body),
                Bytes(headers),
                Number(grpc_status),
            ],
        ) => {
            let response = LocalResponse {
                status: u16::try_from(*status).unwrap_or(0),
                details: text(details),
                body: body.clone(),
                headers: pairs(headers),
                grpc_status: u32::try_from(*grpc_status).ok(),
            };
            named!(http_stream::send_local_response(stream, &response));
            ok
        }
        _ => return None,
    };
    Some((answer, None))
}

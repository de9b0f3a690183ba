//! Bodies, callouts' answers and messages (ABI reference 4.6).

use conformance_script::Answer;

use super::{Answered, message, named, stream_of};
use crate::bindings::proxy_wasm::plugin::{http_body, http_callout};
use crate::machine::{Context, Typed, Value};

use Value::{Bytes, Number};

/// Calls one of these functions.
pub(super) fn call(context: Context, function: &str, args: &[Value]) -> Option<Answered> {
    let ok = Answer::status(0);
    let stream = stream_of(context);
    let answer = match (function, args) {
        ("get_buffer_bytes", [Number(5 | 8), Number(_), Number(_)]) => ok.bytes(&Typed::message()),
        ("get_buffer_bytes", [Number(4), Number(start), Number(count)]) => {
            let Some(id) = Typed::callout() else {
                return Some((Answer::status("unavailable"), None));
            };
            ok.bytes(&http_callout::response_body(
                id,
                *start as u32,
                *count as u32,
            ))
        }
        ("get_buffer_bytes", [Number(buffer), Number(start), Number(count)]) => {
            let (start, count) = (*start as u32, *count as u32);
            ok.bytes(&named!(http_body::read(
                stream,
                message(*buffer),
                start,
                count
            )))
        }
        ("get_buffer_status", [Number(buffer)]) => {
            ok.number(named!(http_body::size(stream, message(*buffer))))
        }
        ("set_buffer_bytes", [Number(buffer), Number(start), Number(count), Bytes(data)]) => {
            let (start, count) = (*start as u32, *count as u32);
            let of = message(*buffer);
            named!(http_body::splice(stream, of, start, count, data));
            ok
        }
        _ => return None,
    };
    Some((answer, None))
}

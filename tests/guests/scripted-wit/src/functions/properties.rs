//! Properties (ABI reference 4.4).

use conformance_script::Answer;

use super::{Answered, named, stream_of, text};
use crate::bindings::proxy_wasm::plugin::property::{self, PropertyValue};
use crate::machine::{Context, Value};

use Value::Bytes;

/// Calls one of these functions.
pub(super) fn call(context: Context, function: &str, args: &[Value]) -> Option<Answered> {
    let ok = Answer::status(0);
    let answer = match (function, args) {
        ("get_property", [Bytes(path)]) => {
            let path: Vec<_> = text(path).split('\0').map(str::to_owned).collect();
            let value = match context.stream {
                Some(stream) => property::get(stream, &path),
                None => property::get_of_root(context.root, &path),
            };
            shown(ok, named!(value))
        }
        ("set_property", [Bytes(name), Bytes(value)]) => {
            named!(property::set(stream_of(context), &text(name), value));
            ok
        }
        _ => return None,
    };
    Some((answer, None))
}

/// A property's value: its type, and what is in it.
fn shown(ok: Answer, value: PropertyValue) -> Answer {
    match value {
        PropertyValue::Text(text) => ok.word("text").bytes(text.as_bytes()),
        PropertyValue::Bytes(bytes) => ok.word("bytes").bytes(&bytes),
        PropertyValue::Signed(number) => ok.word("signed").number(number),
        PropertyValue::Unsigned(number) => ok.word("unsigned").number(number),
        PropertyValue::Floating(number) => ok.word("floating").number(number),
        PropertyValue::Boolean(truth) => ok.word("boolean").number(u8::from(truth)),
        PropertyValue::Timestamp(time) => ok.word("timestamp").number(time),
        PropertyValue::Span(span) => ok.word("span").number(span),
        PropertyValue::Entries(entries) => entries
            .iter()
            .fold(ok.word("entries"), |answer, (name, value)| {
                answer.bytes(name).bytes(value)
            }),
        PropertyValue::Message(bytes) => ok.word("message").bytes(&bytes),
    }
}

//! What is a plugin's own: its log, its ticks, its end, and foreign functions (ABI reference 4.2, 4.12).

use conformance_script::Answer;

use super::{Answered, named, text};
use crate::bindings::proxy_wasm::plugin::{foreign_function, root_control, timer};
use crate::machine::{self, Context, Value};

use Value::{Bytes, Number};

/// Calls one of these functions.
pub(super) fn call(context: Context, function: &str, args: &[Value]) -> Option<Answered> {
    let ok = Answer::status(0);
    let answer = match (function, args) {
        ("set_tick_period_milliseconds", [Number(period)]) => {
            let period = u64::try_from(*period).ok().filter(|period| *period > 0);
            let period = period.map(|period| period * 1_000_000);
            named!(timer::set_tick_period(context.root, period));
            ok
        }
        ("call_foreign_function", [Bytes(name), Bytes(input)]) => {
            let result = foreign_function::call(context.root, context.stream, &text(name), input);
            ok.bytes(&named!(result))
        }
        ("done", []) => Answer::status(if root_control::done(context.root) {
            "0"
        } else {
            "not-waiting"
        }),
        ("log", [Number(_), Bytes(line)]) => {
            machine::log(&text(line));
            ok
        }
        _ => return None,
    };
    Some((answer, None))
}

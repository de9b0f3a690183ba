//! Tells the host of every hostcall: the tracing build.

use crate::bindings::proxy_wasm::plugin::trace;

/// Parameters of a hostcall, and what it answers.
pub(crate) trait Value {
    /// As a number, if it is one that a reader could use.
    fn number(self) -> Option<i64>;
}

impl Value for u32 {
    fn number(self) -> Option<i64> {
        Some(self.into())
    }
}

impl Value for i64 {
    fn number(self) -> Option<i64> {
        Some(self)
    }
}

impl Value for u64 {
    fn number(self) -> Option<i64> {
        Some(self.cast_signed())
    }
}

impl Value for f64 {
    fn number(self) -> Option<i64> {
        None
    }
}

impl Value for () {
    fn number(self) -> Option<i64> {
        None
    }
}

/// Answers a hostcall and tells the host of it.
pub(crate) fn traced<R: Value + Copy>(
    name: &str,
    arguments: &[Option<i64>],
    call: impl FnOnce() -> R,
) -> R {
    let answer = call();
    let arguments: Vec<i64> = arguments.iter().copied().flatten().collect();
    trace::hostcall(name, &arguments, answer.number());
    answer
}

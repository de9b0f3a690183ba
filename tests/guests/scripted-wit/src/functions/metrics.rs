//! Metrics (ABI reference 9.1).

use std::cell::RefCell;

use conformance_script::Answer;

use super::{Answered, named, text};
use crate::bindings::proxy_wasm::plugin::metrics::{Counter, Gauge, Histogram};
use crate::machine::Value;

use Value::{Bytes, Number};

enum Metric {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

thread_local! {
    static METRICS: RefCell<Vec<Metric>> = const { RefCell::new(Vec::new()) };
}

/// Calls one of these functions.
pub(super) fn call(function: &str, args: &[Value]) -> Option<Answered> {
    let answer = match (function, args) {
        ("define_metric", [Number(kind), Bytes(name)]) => return define(*kind, &text(name)),
        ("increment_metric", [Number(id), Number(delta)]) => with_metric(*id, |metric| {
            match metric {
                Metric::Counter(counter) => counter.add(delta.unsigned_abs()),
                Metric::Gauge(gauge) if *delta < 0 => gauge.subtract(delta.unsigned_abs()),
                Metric::Gauge(gauge) => gauge.add(delta.unsigned_abs()),
                Metric::Histogram(_) => return Answer::status("no-such-function"),
            }
            Answer::status(0)
        }),
        ("record_metric", [Number(id), Number(value)]) => with_metric(*id, |metric| {
            match metric {
                Metric::Counter(_) => return Answer::status("no-such-function"),
                Metric::Gauge(gauge) => gauge.set(*value as u64),
                Metric::Histogram(histogram) => histogram.observe(*value as u64),
            }
            Answer::status(0)
        }),
        ("get_metric", [Number(id)]) => with_metric(*id, |metric| match metric {
            Metric::Counter(counter) => Answer::status(0).number(counter.value()),
            Metric::Gauge(gauge) => Answer::status(0).number(gauge.value()),
            Metric::Histogram(_) => Answer::status("no-such-function"),
        }),
        _ => return None,
    };
    Some((answer, None))
}

fn define(kind: i64, name: &str) -> Option<Answered> {
    let metric = match kind {
        0 => Metric::Counter(named!(Counter::define(name))),
        1 => Metric::Gauge(named!(Gauge::define(name))),
        _ => Metric::Histogram(named!(Histogram::define(name))),
    };
    let id = METRICS.with_borrow_mut(|metrics| {
        metrics.push(metric);
        metrics.len() as i64
    });
    Some((Answer::status(0), Some(id)))
}

fn with_metric(id: i64, act: impl FnOnce(&Metric) -> Answer) -> Answer {
    METRICS.with_borrow(|metrics| {
        let metric = usize::try_from(id - 1).ok().and_then(|at| metrics.get(at));
        metric.map_or_else(|| Answer::status("not-defined"), act)
    })
}

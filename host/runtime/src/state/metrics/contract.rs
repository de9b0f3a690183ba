//! What every [`MetricStore`] does.

use std::sync::Arc;
use std::thread;

use super::*;

/// Checks all rules, each with a store that `new` makes.
pub(crate) fn check(new: impl Fn() -> Arc<dyn MetricStore>) {
    a_name_and_type_is_one_series(&*new());
    types_have_names_of_their_own(&*new());
    counters_wrap(&*new());
    gauges_stop_at_their_ends(&*new());
    names_are_bounded(&*new());
    the_number_of_series_is_bounded(&*new());
    the_bytes_of_all_names_are_bounded(&*new());
    threads_share_series(&new());
    a_snapshot_is_in_order(&*new());
}

fn a_name_and_type_is_one_series(store: &dyn MetricStore) {
    let (first, again) = (store.counter("a.b").unwrap(), store.counter("a.b").unwrap());
    first.add(2);
    drop(first);
    again.add(3);
    assert_eq!(store.counter("a.b").unwrap().value(), 5);
    assert_eq!(store.counter("a_b").unwrap().value(), 0);
    assert_eq!(store.snapshot().len(), 2);
}

fn types_have_names_of_their_own(store: &dyn MetricStore) {
    store.counter("x").unwrap().add(1);
    store.gauge("x").unwrap().set(2);
    store.histogram("x").unwrap().observe(3);
    assert_eq!(store.counter("x").unwrap().value(), 1);
    assert_eq!(store.gauge("x").unwrap().value(), 2);
    assert_eq!(store.snapshot().len(), 3);
}

fn counters_wrap(store: &dyn MetricStore) {
    let counter = store.counter("c").unwrap();
    counter.add(u64::MAX);
    assert_eq!(counter.value(), u64::MAX);
    counter.add(3);
    assert_eq!(counter.value(), 2);
}

fn gauges_stop_at_their_ends(store: &dyn MetricStore) {
    let gauge = store.gauge("g").unwrap();
    gauge.add(5);
    gauge.subtract(7);
    assert_eq!(gauge.value(), 0);
    gauge.set(u64::MAX - 1);
    gauge.add(7);
    assert_eq!(gauge.value(), u64::MAX);
    gauge.subtract(1);
    assert_eq!(gauge.value(), u64::MAX - 1);
}

fn names_are_bounded(store: &dyn MetricStore) {
    let long = "x".repeat(MAX_NAME_BYTES);
    assert!(store.counter(&long).is_ok());
    for wrong in [String::new(), long + "x"] {
        assert_eq!(store.counter(&wrong).unwrap_err(), DefineError::InvalidName);
        assert_eq!(store.gauge(&wrong).unwrap_err(), DefineError::InvalidName);
        assert_eq!(
            store.histogram(&wrong).unwrap_err(),
            DefineError::InvalidName
        );
    }
}

fn the_number_of_series_is_bounded(store: &dyn MetricStore) {
    for at in 0..MAX_SERIES {
        match at % 3 {
            0 => drop(store.counter(&at.to_string()).unwrap()),
            1 => drop(store.gauge(&at.to_string()).unwrap()),
            _ => drop(store.histogram(&at.to_string()).unwrap()),
        }
    }
    assert_eq!(
        store.counter("one more").unwrap_err(),
        DefineError::LimitReached
    );
    assert_eq!(
        store.gauge("one more").unwrap_err(),
        DefineError::LimitReached
    );
    // What is there is found all the same.
    assert!(store.counter("0").is_ok());
    assert_eq!(store.snapshot().len(), MAX_SERIES);
}

fn the_bytes_of_all_names_are_bounded(store: &dyn MetricStore) {
    let name = |at: usize| format!("{at:0width$}", width = MAX_NAME_BYTES);
    let fit = MAX_ALL_NAMES_BYTES / MAX_NAME_BYTES;
    for at in 0..fit {
        store.counter(&name(at)).unwrap();
    }
    assert_eq!(
        store.counter(&name(fit)).unwrap_err(),
        DefineError::LimitReached
    );
    assert!(store.counter(&name(0)).is_ok());
}

fn threads_share_series(store: &Arc<dyn MetricStore>) {
    const THREADS: u64 = 4;
    const TIMES: u64 = 1000;
    let work = || {
        for _ in 0..TIMES {
            store.counter("c").unwrap().add(1);
            store.gauge("g").unwrap().add(2);
            store.histogram("h").unwrap().observe(7);
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(work);
        }
    });
    assert_eq!(store.counter("c").unwrap().value(), THREADS * TIMES);
    assert_eq!(store.gauge("g").unwrap().value(), 2 * THREADS * TIMES);
    let snapshot = store.snapshot();
    let MetricValue::Histogram(histogram) = &snapshot[2].value else {
        panic!("no histogram: {snapshot:?}");
    };
    assert_eq!(histogram.count(), THREADS * TIMES);
    assert!((histogram.sum - 28_000.0).abs() < f64::EPSILON);
}

fn a_snapshot_is_in_order(store: &dyn MetricStore) {
    store.histogram("a").unwrap().observe(1);
    store.gauge("b").unwrap().set(2);
    store.counter("d").unwrap().add(4);
    store.counter("c").unwrap().add(3);
    let snapshot = store.snapshot();
    let names: Vec<_> = snapshot.iter().map(|series| &*series.name).collect();
    assert_eq!(names, ["c", "d", "b", "a"]);
    assert_eq!(snapshot[0].value, MetricValue::Counter(3));
    assert_eq!(snapshot[2].value, MetricValue::Gauge(2));
}

//! Metrics (ABI reference 9.1, 3.5).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, both_kinds};

both_kinds!(
    counters_and_gauges,
    a_known_name_reaches_the_same_metric,
    names_are_shared_by_vms,
    names_are_bounded
);

fn configure(script: &str) {
    Case::legacy(&format!("configure:\n{script}")).get();
}

#[test]
fn ids_carry_their_type() {
    configure(
        "define_metric(0, 'a', u32) => 0 4
        define_metric(1, 'b', u32) => 0 5
        define_metric(2, 'c', u32) => 0 6
        define_metric(0, 'd', u32) => 0 8
        define_metric(1, 'e', u32) => 0 9
        define_metric(2, 'f', u32) => 0 10
        define_metric(3, 'g', u32) => 2 unwritten
        define_metric(-1, 'g', u32) => 2 unwritten",
    );
}

#[test]
fn counter_edges() {
    configure(
        "define_metric(0, 'counter', u32>id)
        get_metric($id, u64) => 0 0
        increment_metric($id, 5) => 0
        increment_metric($id, 0) => 2 // nothing is too little
        increment_metric($id, -1) => 2
        increment_metric($id, -9223372036854775808) => 2
        get_metric($id, u64) => 0 5
        record_metric($id, 10) => 0 // adds
        get_metric($id, u64) => 0 15
        record_metric($id, 0) => 0
        get_metric($id, u64) => 0 15",
    );
}

#[test]
fn gauge_edges() {
    configure(
        "define_metric(1, 'gauge', u32>id)
        increment_metric($id, 5) => 0
        increment_metric($id, -2) => 0
        increment_metric($id, 0) => 0
        get_metric($id, u64) => 0 3
        record_metric($id, 100) => 0 // sets
        get_metric($id, u64) => 0 100
        record_metric($id, 1) => 0
        increment_metric($id, -5) => 0 // not below nothing
        get_metric($id, u64) => 0 0",
    );
}

#[test]
fn histogram_edges() {
    configure(
        "define_metric(2, 'histogram', u32>id)
        record_metric($id, 5) => 0
        increment_metric($id, 1) => 2
        get_metric($id, u64) => 2 unwritten",
    );
}

#[test]
fn unknown_ids() {
    configure(
        "increment_metric(4, 1) => 1
        increment_metric(5, 1) => 1
        increment_metric(6, 1) => 2
        increment_metric(7, 1) => 2
        increment_metric(0, 1) => 1
        record_metric(4, 1) => 1
        record_metric(5, 1) => 1
        record_metric(6, 1) => 1
        record_metric(7, 1) => 1
        get_metric(4, u64) => 1 unwritten
        get_metric(5, u64) => 1 unwritten
        get_metric(6, u64) => 2 unwritten
        get_metric(7, u64) => 2 unwritten",
    );
}

fn counters_and_gauges(kind: Kind) {
    let script = "configure:
            define_metric(0, 'counter', u32>counter) => 0
            define_metric(1, 'gauge', u32>gauge) => 0
            define_metric(2, 'histogram', u32>histogram) => 0
            record_metric($histogram, 7) => 0
        request_headers:
            increment_metric($counter, 2) => 0
            get_metric($counter, u64) => 0 2
            record_metric($gauge, 9) => 0
            increment_metric($gauge, -4) => 0
            get_metric($gauge, u64) => 0 5";
    Case::new(kind, script).get();
}

/// A new id in the module, the same value.
fn a_known_name_reaches_the_same_metric(kind: Kind) {
    let script = "configure:
        define_metric(0, 'counter', u32>one) => 0
        increment_metric($one, 3)
        define_metric(0, 'counter', u32>again) => 0
        get_metric($again, u64) => 0 3
        increment_metric($again, 1)
        get_metric($one, u64) => 0 4";
    Case::new(kind, script).get();
}

fn names_are_shared_by_vms(kind: Kind) {
    let first = "configure:
        define_metric(0, 'counter', u32>id) => 0
        increment_metric($id, 3)";
    let second = "request_headers:
        define_metric(0, 'counter', u32>id) => 0
        get_metric($id, u64) => 0 3";
    let other = match kind {
        Kind::Legacy => Kind::Wit,
        Kind::Wit => Kind::Legacy,
    };
    Case::new(kind, first).and(other, second).get();
}

/// Same name, different type: separate objects.
#[test]
fn a_name_with_another_type_is_another_metric() {
    configure(
        "define_metric(0, 'same', u32>counter) => 0
        define_metric(1, 'same', u32>gauge) => 0
        increment_metric($counter, 3)
        get_metric($gauge, u64) => 0 0",
    );
}

/// In Envoy they are not.
fn names_are_bounded(kind: Kind) {
    let script = "configure:
        define_metric(0, '', u32) => 2 unwritten | invalid-name
        define_metric(1, many('n' 1025), u32) => 2 unwritten | invalid-name
        define_metric(2, many('n' 1024), u32) => 0";
    Case::new(kind, script).get();
}

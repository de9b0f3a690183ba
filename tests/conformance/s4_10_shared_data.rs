//! Shared data (ABI reference 4.10, 3.6).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, both_kinds};

both_kinds!(
    an_unknown_key,
    cas_zero_always_stores,
    cas_that_matches_stores,
    cas_that_differs_stores_nothing,
    any_cas_stores_where_nothing_is,
    an_empty_value,
    keys_are_bytes,
    a_vm_id_is_a_space_of_its_own,
    keys_and_values_are_bounded,
);

fn configure(kind: Kind, calls: &str) {
    Case::new(kind, &format!("configure:\n{calls}")).get();
}

fn an_unknown_key(kind: Kind) {
    configure(
        kind,
        "get_shared_data('key', out, u32) => 1 unwritten unwritten | not-found",
    );
}

fn cas_zero_always_stores(kind: Kind) {
    configure(
        kind,
        "set_shared_data('key', 'one', 0) => 0
        get_shared_data('key', out, u32) => 0 'one' *
        set_shared_data('key', 'two', 0) => 0
        get_shared_data('key', out, u32) => 0 'two' *",
    );
}

fn cas_that_matches_stores(kind: Kind) {
    configure(
        kind,
        "set_shared_data('key', 'one', 0)
        get_shared_data('key', out, u32>cas) => 0 'one' *
        set_shared_data('key', 'two', $cas) => 0
        get_shared_data('key', out, u32) => 0 'two' *",
    );
}

fn cas_that_differs_stores_nothing(kind: Kind) {
    configure(
        kind,
        "set_shared_data('key', 'one', 0)
        get_shared_data('key', out, u32>cas) => 0 'one' *
        set_shared_data('key', 'two', 0)
        set_shared_data('key', 'three', $cas) => 8 | cas-mismatch
        set_shared_data('key', 'three', -1) => 8 | cas-mismatch
        get_shared_data('key', out, u32) => 0 'two' *",
    );
}

fn any_cas_stores_where_nothing_is(kind: Kind) {
    configure(
        kind,
        "set_shared_data('key', 'one', 99) => 0
        get_shared_data('key', out, u32) => 0 'one' *",
    );
}

fn an_empty_value(kind: Kind) {
    configure(
        kind,
        "set_shared_data('key', '', 0)
        get_shared_data('key', out, u32) => 0 null * | 0 '' *
        set_shared_data('', 'no name', 0)
        get_shared_data('', out, u32) => 0 'no name' *",
    );
}

fn keys_are_bytes(kind: Kind) {
    configure(
        kind,
        "set_shared_data('a\\0\\xff', '\\0\\xfe', 0)
        get_shared_data('a\\0\\xff', out, u32) => 0 '\\0\\xfe' *
        get_shared_data('a', out, u32) => 1 | not-found",
    );
}

/// Every store takes a number of its own, whatever the key; 0 is none.
#[test]
fn cas_numbers_grow_and_are_never_0() {
    let script = "configure:
        set_shared_data('a', '', 0)
        get_shared_data('a', out, u32) => 0 null *
        set_shared_data('b', '', 0)
        get_shared_data('b', out, u32) => 0 null *
        set_shared_data('a', '', 0)
        get_shared_data('a', out, u32) => 0 null *
        get_shared_data('a', out, u32) => 0 null *";
    let report = Case::legacy(script).get();
    let cas = |id: &str| -> u32 { report.answers(id)[0][2].parse().unwrap() };
    let (first, second, third, again) = (cas("0.2"), cas("0.4"), cas("0.6"), cas("0.7"));
    assert!(
        0 < first && first < second && second < third,
        "{first} {second} {third}"
    );
    assert_eq!(third, again);
}

/// Other code, other VM, the same `vm_id`: the same data. Another `vm_id`: other data.
fn a_vm_id_is_a_space_of_its_own(kind: Kind) {
    let other = match kind {
        Kind::Legacy => Kind::Wit,
        Kind::Wit => Kind::Legacy,
    };
    let writes = "configure:\n set_shared_data('key', 'mine', 0)";
    let reads = "request_headers:\n get_shared_data('key', out, u32) => 0 'mine' *";
    let finds_nothing = "request_headers:\n get_shared_data('key', out, u32) => 1 | not-found";
    Case::new(kind, writes)
        .plugin("vm_id", "a")
        .and(other, reads)
        .plugin("vm_id", "a")
        .and(kind, finds_nothing)
        .plugin("vm_id", "b")
        .get();
}

/// In Envoy they are not. What is refused changes nothing.
fn keys_and_values_are_bounded(kind: Kind) {
    configure(
        kind,
        "set_shared_data(many('k' 8193), 'value', 0) => 10 | limit-reached
        get_shared_data(many('k' 8193), out, u32) => 1 | not-found
        set_shared_data(many('k' 8192), 'value', 0) => 0
        get_shared_data(many('k' 8192), out, u32) => 0 'value' *
        set_shared_data('key', 'small', 0) => 0
        set_shared_data('key', many('v' 1048577), 0) => 10 | limit-reached
        get_shared_data('key', out, u32) => 0 'small' *",
    );
}

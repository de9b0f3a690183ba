//! Foreign functions (ABI reference 4.12, 9.2).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Module, both_kinds};

both_kinds!(
    unknown_names,
    compress_and_uncompress,
    clear_route_cache,
    declare_property,
);

fn unknown_names(kind: Kind) {
    let script = "configure:
            legacy call_foreign_function('nobody_knows', 'input', out) => 1 *
            wit call_foreign_function('nobody_knows', 'input', out) => not-found
        request_headers:
            legacy call_foreign_function('', '', out) => 1 *
            wit call_foreign_function('', '', out) => not-found";
    Case::new(kind, script).get();
}

/// zlib streams.
fn compress_and_uncompress(kind: Kind) {
    let script = r"configure:
        call_foreign_function('compress', 'hello hello hello hello', out) => 0 *
        call_foreign_function('uncompress', '\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01\x68\x03\x08\xb1', out) => 0 'hello hello hello hello'
        call_foreign_function('uncompress', 'no stream', out) => 3 | not-serializable";
    let report = Case::new(kind, script).get();
    let compressed = report.answers("0.1")[0][1].clone();
    assert!(compressed.starts_with("x78"), "{compressed}");
}

fn clear_route_cache(kind: Kind) {
    let script = "configure:
            call_foreign_function('clear_route_cache', '', out) => 0 null | 0 ''
        request_headers:
            call_foreign_function('clear_route_cache', '', out) => 0 null | 0 ''";
    Case::new(kind, script).get();
}

/// A protobuf message: the name, read-only, a type, a schema, the span of life.
fn declare_property(kind: Kind) {
    let script = r"configure:
            call_foreign_function('declare_property', '\x0a\x04once\x10\x01\x18\x01', out) => 0 null | 0 ''
            call_foreign_function('declare_property', '\x0a\x04free\x22\x01x\x28\x01', out) => 0 null | 0 ''
            call_foreign_function('declare_property', '\x0a\x04once', out) => 2 * | invalid-input
            call_foreign_function('declare_property', '\x0a\x09short', out) => 2 * | invalid-input
            call_foreign_function('declare_property', '\x0a\x04long\x28\x02', out) => 2 * | invalid-input
        request_headers:
            set_property('once', 'one')
            set_property('once', 'two') => 2 | rejected
            get_property('once', out) => 0 'one' | 0 bytes 'one'
            set_property('free', 'one')
            set_property('free', 'two')
            get_property('free', out) => 0 'two' | 0 bytes 'two'";
    Case::new(kind, script).get();
}

/// Who does not want the result need not name a place for it.
#[test]
fn outputs_may_be_left_out() {
    let script = "configure:
        call_foreign_function('compress', 'input', 0, 0) => 0
        call_foreign_function('compress', 'input', 0, u32) => 0 *
        call_foreign_function('compress', 'input', u32, 0) => 0 *
        call_foreign_function('clear_route_cache', '', 0, 0) => 0";
    Case::legacy(script).get();
}

/// Nothing is allocated for a result that is empty.
#[test]
fn an_empty_result_allocates_nothing() {
    let script = "configure:
        allocations()
        call_foreign_function('clear_route_cache', '', out) => 0 null
        allocations() => 0 0 0";
    Case::legacy(script).get();
}

/// The callback exists from 0.2.0 on; hosts that have no functions of their own never call it.
#[test]
fn the_callback_is_optional() {
    Case::of(&Module::new().without("proxy_on_foreign_function"), "").get();
    Case::of(
        &Module::of("0_1_0").without("proxy_on_foreign_function"),
        "",
    )
    .get();
}

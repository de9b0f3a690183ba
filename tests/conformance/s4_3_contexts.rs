//! Effective contexts and shutdown (ABI reference 4.3).

use proxy_wasi_test_support::Kind;

use crate::harness::Case;

#[test]
fn effective_context_must_exist() {
    let script = "configure:
            set_effective_context(0) => 0
            set_effective_context(1) => 0
            set_effective_context(2) => 2
            set_effective_context(-1) => 2
        request_headers:
            set_effective_context(2) => 0
            set_effective_context(3) => 2
            get_header_map_value(0, ':path', out) => 0 '/' // a refusal changes nothing
            set_effective_context(1) => 0
            get_header_map_value(0, ':path', out) => 2
            set_effective_context(0) => 0 // takes it back
            get_header_map_value(0, ':path', out) => 0 '/'
            set_effective_context(1) => 0
            set_effective_context(2) => 0
            get_header_map_value(0, ':path', out) => 0 '/'";
    Case::legacy(script).get();
}

/// Contexts die with `proxy_on_delete`.
#[test]
fn effective_context_of_a_stream_that_has_ended() {
    let script = "request_headers#2:
        set_effective_context(2) => 2
        set_effective_context(3) => 0";
    Case::legacy(script).run(|running| {
        running.get("/");
        running.wait_for("delete", 1);
        running.get("/");
    });
}

#[test]
fn done_without_a_root_that_waits() {
    let script = "configure:\n done() => 1\nrequest_headers:\n done() => 1";
    Case::legacy(script).get();
}

/// Roots of one VM are the same code, whose globals they share: one may let the other's streams go on.
#[test]
fn effective_context_of_another_plugin() {
    let first = "request_headers:
            set_effective_context(2) => 0
            set_effective_context(4) => 2 // not yet
            set_effective_context(0) => 0
            set_tick_period_milliseconds(1)
        tick#1:
            set_tick_period_milliseconds(0)
            set_effective_context(4) => 0
            get_header_map_value(0, ':path', out) => 0 '/'
            add_header_map_value(0, 'x-tick', '1') => 0
            continue_stream(0)";
    let second = "request_headers:
            set_effective_context(3) => 0
            set_effective_context(1) => 0
            return(1)";
    let case = Case::legacy(first)
        .plugin("vm_id", "shared")
        .and(Kind::Legacy, second)
        .plugin("vm_id", "shared");
    let report = case.run(|running| {
        assert_eq!(running.get("/").echoed("x-tick"), ["1"]);
    });
    assert!(
        report
            .callbacks("1")
            .contains(&"context_create 4 2".to_owned())
    );
}

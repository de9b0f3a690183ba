//! Foreign functions (ABI reference 4.12, 9.2).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Module, both_kinds};

both_kinds!(
    unknown_names,
    compress_and_uncompress,
    clear_route_cache,
    declare_property,
    functions_that_only_envoy_has,
    the_callback_follows_the_call,
    callbacks_come_in_order_when_configured_too,
    the_callback_acts_on_a_stream,
    every_plugin_is_called_itself,
    a_root_that_has_ended_is_not_called,
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

/// What is not there says so, once for each function.
fn functions_that_only_envoy_has(kind: Kind) {
    let script = "configure:
            call_foreign_function('sign', 'input', out) => 12 * | unsupported
            call_foreign_function('sign', 'input', out) => 12 * | unsupported
            call_foreign_function('expr_create', 'true', out) => 12 * | unsupported";
    let report = Case::new(kind, script).get();
    for function in ["sign", "expr_create"] {
        let line = format!("this host does not have Envoy's foreign function `{function}`");
        assert_eq!(report.log.matches(&line).count(), 1, "{}", report.log);
    }
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

/// Each is named once, so that its author hears of all that is missing.
#[test]
fn unknown_functions_are_named() {
    let script = "configure:
        call_foreign_function('one', '', out) => 1
        call_foreign_function('one', '', out) => 1
        call_foreign_function('two', '', out) => 1";
    let report = Case::legacy(script).get();
    for name in ["one", "two"] {
        let line = format!("this host has no foreign function `{name}`");
        assert_eq!(report.log.matches(&line).count(), 1, "{}", report.log);
    }
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

/// Never inside of the call: what stands behind it in the script comes first. The input is buffer 8, for reading, and
/// only then.
fn the_callback_follows_the_call(kind: Kind) {
    let script = "request_headers:
            call_foreign_function('call_back', 'input', out) => 0 'plugin-0'
            replace_header_map_value(0, 'x-after', '1')
            legacy get_buffer_bytes(8, 0, 9, out) => 1 // nothing yet
        foreign_function:
            get_buffer_bytes(8, 0, 9, out) => 0 'input'
            legacy get_buffer_bytes(8, 2, 2, out) => 0 'pu'
            legacy get_buffer_status(8, u32, u32) => 0 5 0
            legacy set_buffer_bytes(8, 0, 5, 'other') => 2
        log:
            legacy get_buffer_bytes(8, 0, 9, out) => 1";
    let report = Case::new(kind, script).embedded().run(|running| {
        let reply = running.get("/");
        assert_eq!(reply.echoed("x-after"), ["1"]);
        running.wait_for("foreign_function", 1);
        running.wait_for("log", 1);
    });
    let callbacks = report.callbacks("0");
    let place = |name: &str| callbacks.iter().position(|text| text.starts_with(name));
    assert_eq!(
        callbacks[place("foreign_function").unwrap()],
        "foreign_function 1 7 5"
    );
    assert!(place("request_headers") < place("foreign_function"));
    let log = &report.log;
    assert!(log.find("[[=0.2 ").unwrap() < log.find("[[@0 foreign_function").unwrap());
}

fn callbacks_come_in_order_when_configured_too(kind: Kind) {
    let script = "configure:
            call_foreign_function('call_back_twice', '', out) => 0
            call_foreign_function('call_back_twice', 'x', out) => 0";
    let report = Case::new(kind, script)
        .embedded()
        .run(|running| running.wait_for("foreign_function", 4));
    let callbacks = report.callbacks("0");
    let calls: Vec<_> = callbacks
        .iter()
        .filter(|text| text.starts_with("foreign_function"))
        .collect();
    assert_eq!(
        calls,
        [
            "foreign_function 1 1 0",
            "foreign_function 1 2 0",
            "foreign_function 1 1 1",
            "foreign_function 1 2 1"
        ]
    );
}

/// It comes to the root context, which can choose a stream, and may come from any thread.
fn the_callback_acts_on_a_stream(kind: Kind) {
    let script = "request_headers:
            call_foreign_function('call_back_later', 'found', out) => 0
            return(1)
        foreign_function:
            legacy get_header_map_value(0, ':path', out) => 2
            set_effective_context(2)
            get_header_map_value(0, ':path', out) => 0 '/held'
            add_header_map_value(0, 'x-found', '1')
            continue_stream(0)";
    Case::new(kind, script).embedded().run(|running| {
        let reply = running.get("/held");
        assert_eq!(reply.echoed("x-found"), ["1"]);
    });
}

/// Whether they share a VM or not.
fn every_plugin_is_called_itself(kind: Kind) {
    for vm_ids in [["a", "a"], ["a", "b"]] {
        let script = |tag: &str| {
            format!(
                "request_headers:
                    call_foreign_function('call_back', '{tag}', out) => 0 'plugin-{tag}'
                foreign_function:
                    get_buffer_bytes(8, 0, 9, out) => 0 '{tag}'"
            )
        };
        Case::new(kind, &script("0"))
            .plugin("vm_id", vm_ids[0])
            .and(kind, &script("1"))
            .plugin("vm_id", vm_ids[1])
            .embedded()
            .run(|running| {
                running.get("/");
                running.wait_for_plugin("0", "foreign_function", 1);
                running.wait_for_plugin("1", "foreign_function", 1);
            });
    }
}

/// One that asks for time still is.
fn a_root_that_has_ended_is_not_called(kind: Kind) {
    let at_the_end = "done:
            call_foreign_function('call_back', '', out) => 0 *";
    let report = Case::new(kind, at_the_end).embedded().run(|_| {});
    let of = |report: &crate::harness::Report, name: &str| {
        let callbacks = report.callbacks("0");
        callbacks
            .iter()
            .filter(|text| text.starts_with(name))
            .count()
    };
    assert_eq!(
        (of(&report, "delete"), of(&report, "foreign_function")),
        (1, 0)
    );

    let waiting = "done:
            call_foreign_function('call_back', '', out) => 0 *
            return(0)
        foreign_function:
            done() => 0";
    let report = Case::new(kind, waiting).embedded().run(|_| {});
    assert_eq!(
        (of(&report, "foreign_function"), of(&report, "delete")),
        (1, 1)
    );
}

/// The callback exists from 0.2.0 on.
#[test]
fn modules_of_0_1_0_are_not_called() {
    let script = "request_headers:
            call_foreign_function('call_back', '', out) => 0 'plugin-0'";
    let report = Case::legacy_0_1_0(script).embedded().get();
    let callbacks = report.callbacks("0");
    assert!(
        !callbacks
            .iter()
            .any(|text| text.starts_with("foreign_function"))
    );
}

/// A module that lacks it hears nothing, and lives.
#[test]
fn the_callback_is_optional() {
    let script = "request_headers:
            call_foreign_function('call_back', '', out) => 0 'plugin-0'";
    let module = Module::new().without("proxy_on_foreign_function");
    let report = Case::of(&module, script).embedded().run(|running| {
        for _ in 0..2 {
            assert_eq!(running.get("/").status, 200);
        }
    });
    assert!(!report.log.contains("trap"), "{}", report.log);
}

//! Ticks (ABI reference 4.2, 6.6).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Module, both_kinds};

both_kinds!(
    ticks_come_to_the_root,
    period_0_stops_them,
    a_new_period_takes_the_old_ones_place,
    a_stream_sets_its_roots_period,
    roots_tick_for_themselves,
    a_tick_resumes_a_stream,
);

fn ticks_come_to_the_root(kind: Kind) {
    let script = "configure:\n set_tick_period_milliseconds(1) => 0";
    let report = Case::new(kind, script).run(|running| running.wait_for("tick", 3));
    let callbacks = report.callbacks("0");
    let ticks: Vec<_> = callbacks
        .iter()
        .filter(|text| text.starts_with("tick"))
        .collect();
    assert!(ticks.iter().all(|text| *text == "tick 1"), "{ticks:?}");
    let configure = callbacks
        .iter()
        .position(|text| text.starts_with("configure"));
    let first = callbacks.iter().position(|text| text.starts_with("tick"));
    assert!(configure < first);
}

fn period_0_stops_them(kind: Kind) {
    let script = "configure:
            set_tick_period_milliseconds(1)
        tick#2:
            set_tick_period_milliseconds(0) => 0";
    let report = Case::new(kind, script).run(|running| {
        running.wait_for("tick", 2);
        // A third would come while these are served.
        for _ in 0..20 {
            running.get("/");
        }
    });
    let callbacks = report.callbacks("0");
    assert_eq!(callbacks.iter().filter(|text| *text == "tick 1").count(), 2);
}

fn a_new_period_takes_the_old_ones_place(kind: Kind) {
    let script = "configure:
            set_tick_period_milliseconds(3600000)
            set_tick_period_milliseconds(1)
        tick#1:
            set_tick_period_milliseconds(2)";
    Case::new(kind, script).run(|running| running.wait_for("tick", 3));
}

fn a_stream_sets_its_roots_period(kind: Kind) {
    let script = "request_headers:\n set_tick_period_milliseconds(1) => 0";
    let report = Case::new(kind, script).run(|running| {
        running.get("/");
        running.wait_for("tick", 1);
    });
    assert!(report.callbacks("0").contains(&"tick 1".to_owned()));
}

fn roots_tick_for_themselves(kind: Kind) {
    let ticks = "configure:\n set_tick_period_milliseconds(1)";
    let case = Case::new(kind, ticks)
        .plugin("vm_id", "shared")
        .and(kind, "")
        .plugin("vm_id", "shared");
    let report = case.run(|running| running.wait_for("tick", 3));
    let other = report.callbacks("1");
    assert!(
        !other.iter().any(|text| text.starts_with("tick")),
        "{other:?}"
    );
}

fn a_tick_resumes_a_stream(kind: Kind) {
    let script = "request_headers:
            set_tick_period_milliseconds(1)
            return(1)
        tick#1:
            set_tick_period_milliseconds(0)
            legacy get_header_map_value(0, ':path', out) => 2
            set_effective_context(2)
            get_header_map_value(0, ':path', out) => 0 '/'
            add_header_map_value(0, 'x-tick', '1') => 0
            continue_stream(0)";
    Case::new(kind, script).run(|running| {
        assert_eq!(running.get("/").echoed("x-tick"), ["1"]);
    });
}

/// Nothing is sent where there is no stream.
#[test]
fn a_local_response_of_a_tick_goes_nowhere() {
    let script = "configure:
            set_tick_period_milliseconds(1)
        tick#1:
            send_local_response(500, '', 'body', '', -1) => 0
            continue_stream(0) => 0
            close_stream(0) => 0";
    Case::legacy(script).run(|running| {
        running.wait_for("tick", 2);
        assert_eq!(running.get("/").status, 200);
    });
}

#[test]
fn a_module_without_the_callback_may_set_a_period() {
    let module = Module::new().without("proxy_on_tick");
    let script = "configure:\n set_tick_period_milliseconds(1) => 0";
    Case::of(&module, script).run(|running| assert_eq!(running.get("/").status, 200));
}

/// Asked for before the plugin is configured, they come afterwards.
#[test]
fn a_period_can_be_set_from_the_first_callback_on() {
    for callback in ["context_create#1", "vm_start"] {
        let script = format!("{callback}:\n set_tick_period_milliseconds(1) => 0");
        let report = Case::legacy(&script).run(|running| running.wait_for("tick", 2));
        let callbacks = report.callbacks("0");
        let tick = callbacks.iter().position(|text| text == "tick 1");
        let configure = callbacks
            .iter()
            .position(|text| text.starts_with("configure"));
        assert!(configure < tick, "{callback}: {callbacks:?}");
    }
}

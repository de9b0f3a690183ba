//! Ticks come by themselves, without any request.

use proxy_wasi_test_support::{Example, Kind};

use super::{ask, serve};
use crate::{both_kinds, module, proxy};

/// A legacy module that sets a period when it is configured, and logs and runs `on_tick` at each tick. `$count` is the
/// number of the tick.
fn ticking(period: u32, on_tick: &str) -> std::path::PathBuf {
    module(&format!(
        r#"(module
            (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
            (import "env" "proxy_set_tick_period_milliseconds" (func $set_period (param i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "configured")
            (data (i32.const 16) "tick 0")
            (global $count (mut i32) (i32.const 0))
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 1024))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (drop (call $log (i32.const 2) (i32.const 0) (i32.const 10)))
                (i32.eqz (call $set_period (i32.const {period}))))
            (func (export "proxy_on_tick") (param $root i32)
                (global.set $count (i32.add (global.get $count) (i32.const 1)))
                (i32.store8 (i32.const 21) (i32.add (i32.const 48) (global.get $count)))
                (drop (call $log (i32.const 2) (i32.const 16) (i32.const 6)))
                {on_tick}))"#
    ))
}

#[test]
fn ticks_come_until_the_period_is_taken_back() {
    let stops = "(if (i32.eq (global.get $count) (i32.const 3))
        (then (drop (call $set_period (i32.const 0)))))";
    let proxy = proxy().arg(ticking(1, stops)).start();
    proxy.wait_for_log(&["tick 3"]);
    // Another worker's turn of its loop, and more than a period of time.
    assert_eq!(proxy.get("/").status, 200);
    proxy.terminate();
    let log = proxy.wait().stderr;
    let ticks = log.lines().filter(|line| line.contains("tick ")).count();
    assert_eq!(ticks, 3, "{log}");
}

#[test]
fn a_new_period_takes_the_place_of_the_old_one() {
    // An hour at first: only the second period can bring a second tick.
    let proxy = proxy()
        .arg(ticking(
            1,
            "(drop (call $set_period (select (i32.const 3600000) (i32.const 2)
                (i32.ge_u (global.get $count) (i32.const 2)))))",
        ))
        .start();
    proxy.wait_for_log(&["tick 2"]);
    assert_eq!(proxy.get("/").status, 200);
    proxy.terminate();
    let log = proxy.wait().stderr;
    assert!(!log.contains("tick 3"), "{log}");
}

#[test]
fn a_vm_that_a_tick_has_ended_comes_back_without_a_request() {
    let traps = "(if (i32.eq (global.get $count) (i32.const 2)) (then unreachable))";
    let proxy = proxy().arg(ticking(1, traps)).start();
    // The first restart comes at once, the next after a second.
    proxy.wait_for_lines("configured", 3);
    proxy.wait_for_lines("tick 2", 3);
    let log = proxy.log();
    assert!(log.contains("trapped in `timer-handler.on-tick`"), "{log}");
    assert!(log.contains("plugin VM restarted"), "{log}");
    assert!(!log.contains("tick 3"), "a tick of a dead VM:\n{log}");
}

both_kinds!(
    each_worker_ticks_for_itself,
    a_stream_sets_the_period_of_its_root
);

fn each_worker_ticks_for_itself(kind: Kind) {
    let proxy = proxy()
        .workers(2)
        .arg(Example::Events.file(kind))
        .args(["--plugin-config", "tick=1"])
        .start();
    proxy.wait_for_lines("tick 3", 2);
}

fn a_stream_sets_the_period_of_its_root(kind: Kind) {
    let proxy = serve(kind, "");
    assert_eq!(ask(&proxy, "/tick/1"), "set");
    let line = proxy.wait_for_log(&["tick 2"]);
    // The root context, not the stream's.
    assert!(line.contains("context=1 "), "{line}");
}

/// A callback that takes thirty periods leaves one tick behind, not thirty.
#[test]
fn ticks_do_not_pile_up() {
    let plugin = module(
        r#"(module
            (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
            (import "env" "proxy_set_tick_period_milliseconds" (func $set_period (param i32) (result i32)))
            (import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "ten ticks at once")
            (data (i32.const 32) "ten ticks one by one")
            (global $count (mut i32) (i32.const 0))
            (global $second (mut i64) (i64.const 0))
            (func $now (result i64)
                (drop (call $time (i32.const 512)))
                (i64.load (i32.const 512)))
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 1024))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (i32.eqz (call $set_period (i32.const 10))))
            (func (export "proxy_on_tick") (param i32)
                (local $began i64)
                (local.set $began (call $now))
                (global.set $count (i32.add (global.get $count) (i32.const 1)))
                (if (i32.eq (global.get $count) (i32.const 1)) (then
                    (loop $busy (br_if $busy
                        (i64.lt_u (i64.sub (call $now) (local.get $began)) (i64.const 300_000_000))))))
                (if (i32.eq (global.get $count) (i32.const 2)) (then
                    (global.set $second (local.get $began))))
                (if (i32.eq (global.get $count) (i32.const 12)) (then
                    ;; Half of the ten periods.
                    (if (i64.lt_u (i64.sub (local.get $began) (global.get $second)) (i64.const 50_000_000))
                        (then (drop (call $log (i32.const 2) (i32.const 0) (i32.const 17))))
                        (else (drop (call $log (i32.const 2) (i32.const 32) (i32.const 20)))))))))"#,
    );
    let proxy = proxy().arg(plugin).start();
    let line = proxy.wait_for_log(&["ten ticks"]);
    assert!(line.contains("one by one"), "{line}");
}

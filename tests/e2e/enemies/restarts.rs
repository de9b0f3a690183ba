//! What requests get while a plugin has no healthy VM, and when it gets another.

use std::time::{Duration, Instant};

use proxy_wasi_test_support::{Kind, Proxy};

use super::{Healthy, ask, besieged, start};
use crate::both_kinds;

both_kinds!(
    closed_and_restart,
    open_and_restart,
    closed_and_never,
    open_and_never,
    a_second_restart_waits,
    a_crash_loop_is_given_up_closed,
    a_crash_loop_is_given_up_open,
    a_vm_that_was_healthy_is_in_no_crash_loop,
    envoys_policies_go_by_name,
);

/// The second restart is out of a test's reach.
const SLOW: &str = "{ first_wait: 1h, longest_wait: 1h }";

/// What five requests get when each second one of a VM is its end: 1 passes, 2 traps, 3 meets a new VM, 4 traps it, and
/// 5 finds none, since the second restart has to wait.
fn five(kind: Kind, policy: &str) -> Vec<(u16, bool)> {
    let proxy = start(kind, policy, SLOW, None);
    let mut healthy = Healthy::find(&proxy);
    (0..5)
        .map(|_| {
            let reply = ask(&proxy, "second");
            healthy.passed(&reply);
            let seen = reply.header("x-enemy-was-here").is_some();
            (reply.status.as_u16(), seen)
        })
        .collect()
}

fn closed_and_restart(kind: Kind) {
    let got = five(kind, "failure_policy: closed, recovery: restart");
    let refused = (503, false);
    assert_eq!(got, [(200, true), refused, (200, true), refused, refused]);
}

fn open_and_restart(kind: Kind) {
    let got = five(kind, "failure_policy: open, recovery: restart");
    let skipped = (200, false);
    assert_eq!(got, [(200, true), skipped, (200, true), skipped, skipped]);
}

fn closed_and_never(kind: Kind) {
    let got = five(kind, "failure_policy: closed, recovery: never");
    let refused = (503, false);
    assert_eq!(got, [(200, true), refused, refused, refused, refused]);
}

fn open_and_never(kind: Kind) {
    let got = five(kind, "failure_policy: open, recovery: never");
    let skipped = (200, false);
    assert_eq!(got, [(200, true), skipped, skipped, skipped, skipped]);
}

/// With the defaults; how long it waits is tested where the waits are made.
fn a_second_restart_waits(kind: Kind) {
    let proxy = start(kind, "failure_policy: closed", "{}", None);
    for _ in 0..2 {
        assert_eq!(ask(&proxy, "trap").status, 503);
    }
    // It comes back by itself.
    proxy.wait_for_lines("plugin VM restarted", 2);
    let reply = proxy.get("/");
    assert_eq!(reply.header("x-enemy-was-here").as_deref(), Some("yes"));
}

/// Traps the enemy as often as it is built, four times, until nobody builds it any more.
fn crash_in_a_loop(kind: Kind, policy: &str, after: impl Fn(&Proxy, &mut Healthy)) {
    let policy = format!("failure_policy: {policy}");
    let restarts = "{ first_wait: 10ms, longest_wait: 20ms, failures: 4 }";
    let proxy = start(kind, &policy, restarts, None);
    let mut healthy = Healthy::find(&proxy);
    for failure in 1..=4 {
        healthy.passed(&ask(&proxy, "trap"));
        if failure < 4 {
            proxy.wait_for_lines("plugin VM restarted", failure);
            let reply = proxy.get("/");
            assert_eq!(reply.header("x-enemy-was-here").as_deref(), Some("yes"));
            healthy.passed(&reply);
        }
    }
    let line = proxy.wait_for_log(&["plugin VM crashes in a loop and is given up"]);
    for part in ["ERROR", "plugin=\"enemy\"", "failures=4"] {
        assert!(line.contains(part), "no `{part}` in: {line}");
    }
    after(&proxy, &mut healthy);
    let counted = |name: &str| proxy.metric(&format!("proxy_wasi_plugin_{name}"));
    assert_eq!(counted("crash_loops_total{plugin=\"enemy\"}"), Some(1.0));
    assert_eq!(counted("crash_loops_total{plugin=\"healthy\"}"), Some(0.0));
    assert_eq!(counted("restarts_total{plugin=\"enemy\"}"), Some(3.0));
    assert_eq!(counted("vms{plugin=\"enemy\"}"), Some(0.0));
    assert_eq!(counted("vms{plugin=\"healthy\"}"), Some(1.0));
    let log = proxy.log();
    assert_eq!(log.matches("plugin VM restarted").count(), 3);
    assert_eq!(log.matches("is given up").count(), 1);
}

fn a_crash_loop_is_given_up_closed(kind: Kind) {
    crash_in_a_loop(kind, "closed", |proxy, healthy| {
        for client in [proxy.client(), proxy.http2()] {
            let reply = client.get("/", &[]);
            assert_eq!((reply.status.as_u16(), reply.text()), (503, ""));
            healthy.passed(&reply);
        }
    });
}

fn a_crash_loop_is_given_up_open(kind: Kind) {
    crash_in_a_loop(kind, "open", |proxy, healthy| {
        for client in [proxy.client(), proxy.http2()] {
            let reply = client.get("/", &[("x-enemy", "trap")]);
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("x-enemy-was-here"), None);
            healthy.passed(&reply);
        }
    });
}

/// However often it fails: what lies between two failures is long enough here.
fn a_vm_that_was_healthy_is_in_no_crash_loop(kind: Kind) {
    let restarts = "{ first_wait: 1h, longest_wait: 1h, healthy_after: 1ms, failures: 2 }";
    let proxy = start(kind, "failure_policy: closed", restarts, None);
    for failure in 1..=5 {
        assert_eq!(ask(&proxy, "trap").status, 503);
        proxy.wait_for_lines("plugin VM restarted", failure);
        let restarted = Instant::now();
        while restarted.elapsed() < Duration::from_millis(2) {
            assert_eq!(proxy.get("/").status, 200);
        }
    }
    assert!(!proxy.log().contains("given up"));
}

fn envoys_policies_go_by_name(kind: Kind) {
    for (policy, after) in [
        ("FAIL_CLOSED", 503),
        ("FAIL_OPEN", 200),
        ("FAIL_RELOAD", 200),
    ] {
        let proxy = besieged(kind, &format!("failure_policy: {policy}"));
        let mut healthy = Healthy::find(&proxy);
        healthy.passed(&ask(&proxy, "trap"));
        let reply = proxy.get("/");
        assert_eq!(reply.status, after, "{policy}");
        let back = policy == "FAIL_RELOAD";
        assert_eq!(reply.header("x-enemy-was-here").is_some(), back, "{policy}");
    }
}

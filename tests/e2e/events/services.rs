//! Services: plugins beside the chain, of which only the root context runs.

use std::io::Write;

use proxy_wasi_test_support::{Example, Kind};

use super::ask;
use crate::{both_kinds, module, proxy};

/// A legacy module as SDKs make them for timers alone: it traps when a stream context is created in it, and logs
/// `tick`.
fn root_only() -> std::path::PathBuf {
    module(
        r#"(module
            (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
            (import "env" "proxy_set_tick_period_milliseconds" (func $set_period (param i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "tick")
            (func (export "proxy_abi_version_0_2_0"))
            (func (export "malloc") (param i32) (result i32) (i32.const 1024))
            (func (export "proxy_on_context_create") (param $context i32) (param $parent i32)
                (if (local.get $parent) (then unreachable)))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (i32.eqz (call $set_period (i32.const 1))))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))
            (func (export "proxy_on_tick") (param i32)
                (drop (call $log (i32.const 2) (i32.const 0) (i32.const 4)))))"#,
    )
}

#[test]
fn requests_pass_a_service_by() {
    let proxy = proxy()
        .arg(root_only())
        .args(["--service", "each_worker"])
        .start();
    assert_eq!(proxy.get("/").status, 200);
    proxy.wait_for_lines("tick", 2);
    assert_eq!(proxy.get("/").status, 200);
    let log = proxy.log();
    assert!(!log.contains("trapped"), "{log}");
}

/// The same module in the chain, for comparison: the test above tests something.
#[test]
fn without_being_a_service_it_fails_requests() {
    let proxy = proxy().arg(root_only()).start();
    assert_eq!(proxy.get("/").status, 503);
}

both_kinds!(
    a_service_runs_in_each_worker_or_once,
    a_service_takes_what_a_filter_of_the_same_vm_id_sends,
);

fn a_service_runs_in_each_worker_or_once(kind: Kind) {
    for (service, times) in [("each_worker", 2), ("once", 1)] {
        let proxy = proxy()
            .workers(2)
            .arg(Example::Events.file(kind))
            .args(["--service", service])
            .start();
        // All workers have started when requests are taken.
        assert_eq!(proxy.get("/").status, 200);
        proxy.terminate();
        let log = proxy.wait().stderr;
        let lines = |text| log.lines().filter(|line| line.contains(text)).count();
        assert_eq!(lines("configured"), times, "{service}:\n{log}");
        assert_eq!(lines("done?"), times, "{service}:\n{log}");
    }
}

/// What Envoy's users run as `envoy.bootstrap.wasm`: a receiver without streams, with the sender in the chain.
fn a_service_takes_what_a_filter_of_the_same_vm_id_sends(kind: Kind) {
    let file = Example::Events.file(kind);
    let mut config = tempfile::NamedTempFile::new().unwrap();
    write!(
        config,
        "plugins:\n\
         - {{name: receiver, file: '{0}', vm_id: mine, configuration: queue=jobs, service: once}}\n\
         - {{name: sender, file: '{0}', vm_id: mine}}\n",
        file.display()
    )
    .unwrap();
    let proxy = proxy()
        .workers(2)
        .arg("--config")
        .arg(config.path())
        .start();
    assert_ne!(ask(&proxy, "/to/receiver/put/mine/jobs/lost"), "done");
    assert_eq!(ask(&proxy, "/to/sender/put/mine/jobs/first"), "done");
    let line = proxy.wait_for_log(&["item first"]);
    assert!(line.contains("receiver"), "{line}");
}

//! Starts that must fail do, before anybody is told that the proxy is ready.

use std::fs;

use proxy_wasi_test_support::{Example, Kind};

use crate::{both_kinds, configuration, module, proxy, text};

both_kinds!(
    a_plugin_that_refuses_its_configuration_stops_the_start,
    a_cached_plugin_starts_again
);

fn a_plugin_that_refuses_its_configuration_stops_the_start(kind: Kind) {
    let failed = proxy()
        .arg(Example::Auth.file(kind))
        .try_start()
        .expect_err("nobody could pass");
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        failed.stderr.contains("nobody could pass"),
        "the plugin's reason is not shown:\n{}",
        failed.stderr
    );
    let errors = failed
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    assert_eq!(errors, 1, "{}", failed.stderr);
}

#[test]
fn a_file_that_is_no_plugin_stops_the_start() {
    let file =
        std::env::temp_dir().join(format!("proxy-wasi-no-plugin-{}.wasm", std::process::id()));
    for (content, reason) in [
        (&b"#!/bin/sh\n"[..], "is not valid WebAssembly"),
        (b"", "is not valid WebAssembly"),
        (b"\0asm\x01\0\0\0", "ABI"),
        (b"\0asm\x01\0\0\0\x01\xff", "cut off"),
    ] {
        fs::write(&file, content).unwrap();
        let failed = proxy().arg(&file).try_start().expect_err("it is no plugin");
        assert_eq!(failed.status.code(), Some(1), "{}", failed.stderr);
        assert_eq!(failed.stderr.lines().count(), 1, "{}", failed.stderr);
        assert!(
            failed.stderr.contains(reason),
            "`{reason}` is not in {}",
            failed.stderr
        );
    }
    fs::remove_file(&file).unwrap();
}

/// A module that looks at the clock while it is configured, until so many milliseconds have passed.
fn slow_to_configure(milliseconds: u64) -> String {
    let file = module(&format!(
        r#"(module
            (import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) i32.const 1024)
            (func $time (result i64)
                (drop (call $now (i32.const 8)))
                (i64.load (i32.const 8)))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (local $end i64)
                (local.set $end (i64.add (call $time) (i64.const {nanoseconds})))
                (loop $again
                    (br_if $again (i64.lt_u (call $time) (local.get $end))))
                i32.const 1))"#,
        nanoseconds = milliseconds * 1_000_000
    ));
    text(&file).to_owned()
}

#[test]
fn a_start_may_take_longer_than_a_callback() {
    let file = configuration(&format!(
        "limits: {{callback_time: 10ms, start_time: 1day}}\nplugins: [{{file: {}}}]",
        slow_to_configure(300)
    ));
    let proxy = proxy().arg("--config").arg(file).start();
    assert_eq!(proxy.get("/").status, 200);
}

#[test]
fn a_start_that_takes_too_long_is_ended() {
    let file = configuration(&format!(
        "limits: {{callback_time: 1day, start_time: 10ms}}\nplugins: [{{file: {}}}]",
        slow_to_configure(60_000)
    ));
    let failed = proxy()
        .arg("--config")
        .arg(file)
        .try_start()
        .expect_err("it takes a minute");
    assert_eq!(failed.status.code(), Some(1));
    let reason = "trapped in `configure`: it took longer than a start may (`limits.start_time`)";
    assert!(failed.stderr.contains(reason), "{}", failed.stderr);
}

#[test]
fn an_address_that_is_taken_stops_the_start() {
    // Taken without SO_REUSEPORT, so that the proxy's own use of it does not help.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let failed = proxy()
        .arg(Example::Headers.file(Kind::Wit))
        .listen(address)
        .try_start()
        .expect_err("the address is taken");
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        failed
            .stderr
            .contains(&format!("cannot listen on {address}")),
        "{}",
        failed.stderr
    );
}

/// Workers share the port, and so could two proxies.
#[test]
fn a_second_proxy_does_not_share_the_port_of_the_first() {
    let first = proxy().arg(Example::Headers.file(Kind::Wit)).start();
    let failed = proxy()
        // Said before the plugin is looked at.
        .arg("no-such-plugin.wasm")
        .listen(first.address())
        .try_start()
        .expect_err("the address is taken");
    assert_eq!(failed.status.code(), Some(1));
    let expected = format!("error: cannot listen on {}; choose", first.address());
    assert!(failed.stderr.contains(&expected), "{}", failed.stderr);
}

#[test]
fn a_taken_port_is_free_again_after_the_end() {
    let first = proxy().arg(Example::Headers.file(Kind::Wit)).start();
    let address = first.address();
    assert_eq!(first.get("/").status, 200);
    first.terminate();
    assert_eq!(first.wait().status.code(), Some(0));
    let second = proxy()
        .arg(Example::Headers.file(Kind::Wit))
        .listen(address)
        .start();
    assert_eq!(second.get("/").status, 200);
}

#[cfg(unix)]
#[test]
fn a_start_without_enough_files_says_so() {
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 40; exec \"$0\" \"$@\"", crate::PROXY_WASI])
        .args(["serve", "--no-cache", "--listen", "127.0.0.1:0"])
        .args(["--workers", "30"])
        .arg(Example::Headers.file(Kind::Wit))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(last.starts_with("error: cannot "), "{stderr}");
    let way_out = "let the process open more files (`ulimit -n`), or give it fewer `--workers`";
    assert!(last.contains(way_out), "{stderr}");
}

fn a_cached_plugin_starts_again(kind: Kind) {
    let cache =
        std::env::temp_dir().join(format!("proxy-wasi-cache-{kind:?}-{}", std::process::id()));
    for _ in 0..2 {
        let proxy = proxy_wasi_test_support::ProxyBuilder::cached(crate::PROXY_WASI, &cache)
            .arg(Example::Headers.file(kind))
            .start();
        assert_eq!(
            proxy.get("/").header("x-plugin").as_deref(),
            Some("headers")
        );
    }
    let entries = fs::read_dir(&cache).unwrap().count();
    assert_eq!(entries, 1, "the plugin was compiled once and kept once");
    fs::remove_dir_all(&cache).unwrap();
}

//! Starts that must fail do, before anybody is told that the proxy is ready.

use std::fs;

use proxy_wasi_test_support::{Example, Kind};

use crate::{both_kinds, proxy};

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
        (&b"#!/bin/sh\n"[..], "is not WebAssembly"),
        (b"", "is not WebAssembly"),
        (b"\0asm\x01\0\0\0", "ABI"),
        (b"\0asm\x01\0\0\0\x01\xff", "module"),
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

//! `inspect` of what `serve` runs; what it refuses is in `plugin_files.rs`.

use std::process::Stdio;

use crate::modules::{self, wasm};
use crate::shell::Shell;

#[test]
fn legacy_modules() {
    let shell = Shell::with(&[
        ("minimal.wasm", &wasm(modules::MINIMAL)),
        ("odd-imports.wasm", &wasm(modules::ODD_IMPORTS)),
    ]);
    insta::assert_snapshot!(shell.transcript(["inspect minimal.wasm", "inspect odd-imports.wasm"]));
}

#[test]
fn a_composed_component() {
    let shell = Shell::with(&[("minimal.wasm", &wasm(modules::MINIMAL))]);
    assert!(
        shell
            .run("compose minimal.wasm -o component.wasm")
            .status
            .success()
    );
    let transcript = shell.transcript(["inspect component.wasm"]);
    assert!(
        transcript.contains("component.wasm: component, plugin for proxy-wasm:plugin@0.1.0\n"),
        "{transcript}"
    );
    assert!(
        transcript.contains("  serve       runs it\n"),
        "{transcript}"
    );
    assert!(
        transcript.contains("    proxy-wasm:plugin/http-filter@0.1.0\n"),
        "{transcript}"
    );
}

/// A legacy module calls every hostcall at its start and logs the names of those that answer 12.
#[test]
fn no_hostcall_is_unimplemented() {
    let shell = Shell::with(&[("calls-all.wasm", &wasm(&modules::calls_all_hostcalls()))]);
    let served = shell.run("serve calls-all.wasm --listen 127.0.0.1:0 --workers 1");
    let log = String::from_utf8(served.stderr).unwrap();
    assert!(log.contains("proxy"), "the module has run: {log}");
    let answered_12: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_once("answers 12: ")?.1.split(' ').next())
        .collect();
    assert_eq!(answered_12, [""; 0]);

    let inspected = shell.transcript(["inspect calls-all.wasm"]);
    assert!(!inspected.contains("not implemented"), "{inspected}");
}

/// As in `proxy-wasi inspect FILE | head -1`.
#[test]
fn a_reader_that_has_seen_enough() {
    let shell = Shell::with(&[("minimal.wasm", &wasm(modules::MINIMAL))]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = shell
        .command("inspect minimal.wasm")
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

//! `compose` of what can be linked; what cannot is in `plugin_files.rs`.

use std::fs;

use crate::modules::{self, wasm};
use crate::shell::Shell;

#[test]
fn writes_a_file_or_standard_output() {
    let shell = Shell::with(&[
        ("minimal.wasm", &wasm(modules::MINIMAL)),
        ("out.wasm", b"something else"),
    ]);
    insta::assert_snapshot!(shell.transcript(["compose minimal.wasm -o out.wasm"]));
    let written = fs::read(shell.path().join("out.wasm")).unwrap();
    let printed = shell.run("compose minimal.wasm -o -").stdout;
    assert!(
        written == printed,
        "{} and {} bytes",
        written.len(),
        printed.len()
    );
    assert_eq!(written.get(..8), Some(b"\0asm\x0d\0\x01\0".as_slice()));
}

#[test]
fn refuses_what_needs_no_linking_and_places_it_cannot_write_to() {
    let shell = Shell::with(&[("minimal.wasm", &wasm(modules::MINIMAL))]);
    assert!(
        shell
            .run("compose minimal.wasm -o component.wasm")
            .status
            .success()
    );
    let commands = [
        "compose component.wasm -o again.wasm",
        "compose minimal.wasm -o nowhere/out.wasm",
        "compose minimal.wasm -o .",
    ];
    insta::assert_snapshot!(shell.transcript(commands));
}

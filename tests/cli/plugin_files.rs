//! Files that are no plugins: every command says the same of them.

use crate::modules::{self, wasm};
use crate::shell::Shell;

/// For each file, `serve` and the other commands that read it.
fn transcript(shell: &Shell, files: &[&str]) -> String {
    let commands: Vec<_> = files
        .iter()
        .flat_map(|file| {
            [
                format!("serve {file}"),
                format!("inspect {file}"),
                format!("compose {file} -o out.wasm"),
            ]
        })
        .collect();
    shell.transcript(commands.iter().map(String::as_str))
}

#[test]
fn not_webassembly() {
    let shell = Shell::with(&[
        ("empty.wasm", b""),
        ("script.sh", b"#!/bin/sh\nexit 1\n"),
        ("module.wat", b"(module)"),
        ("module.wasm.gz", b"\x1f\x8b\x08\0\0\0\0\0"),
        ("noise.wasm", b"\xff\0\x1b[31m"),
        ("header.wasm", b"\0asm\x01"),
        ("future.wasm", b"\0asm\x09\0\0\0"),
    ]);
    std::fs::create_dir(shell.path().join("directory")).unwrap();
    let files = [
        "missing.wasm",
        "directory",
        "empty.wasm",
        "script.sh",
        "module.wat",
        "module.wasm.gz",
        "noise.wasm",
        "header.wasm",
        "future.wasm",
    ];
    insta::assert_snapshot!(transcript(&shell, &files));
}

#[test]
fn webassembly_that_is_no_plugin() {
    let minimal = wasm(modules::MINIMAL);
    let without = |part: &str| wasm(&modules::MINIMAL.replace(part, "renamed"));
    let shell = Shell::with(&[
        ("truncated.wasm", &minimal[..minimal.len() - 3]),
        ("damaged.wasm", &[&minimal[..8], &[0x1f; 40]].concat()),
        ("no-marker.wasm", &without("proxy_abi_version_0_2_1")),
        (
            "core.wasm",
            &wasm(&modules::MINIMAL.replace(
                "proxy_abi_version_0_2_1",
                "proxy-wasm:plugin/lifecycle@0.1.0#start",
            )),
        ),
        (
            "vnext.wasm",
            &wasm(&modules::MINIMAL.replace("0_2_1", "0_3_0")),
        ),
        ("no-allocator.wasm", &without("proxy_on_memory_allocate")),
        (
            "callback.wasm",
            &wasm(&modules::MINIMAL.replace("(param i32 i32)", "(param i64)")),
        ),
        ("body.wasm", &wasm(modules::INVALID_BODY)),
        ("command.wasm", &wasm(modules::OTHER_COMPONENT)),
        ("nothing.wasm", &wasm("(component)")),
        ("hollow.wasm", &wasm(modules::HOLLOW_PLUGIN)),
        (
            "component-body.wasm",
            &wasm(&modules::HOLLOW_PLUGIN.replace("i32.const", "i64.const")),
        ),
    ]);
    let files = [
        "truncated.wasm",
        "damaged.wasm",
        "no-marker.wasm",
        "core.wasm",
        "vnext.wasm",
        "no-allocator.wasm",
        "callback.wasm",
        "body.wasm",
        "command.wasm",
        "nothing.wasm",
        "hollow.wasm",
        "component-body.wasm",
    ];
    insta::assert_snapshot!(transcript(&shell, &files));
}

/// Wherever a component is cut, but between two sections.
#[test]
fn a_component_that_is_cut_off() {
    let component = wasm(modules::HOLLOW_PLUGIN);
    let shell = Shell::new();
    let cuts = [10, component.len() / 2, component.len() - 1];
    let mut said = Vec::new();
    for cut in cuts {
        shell.write("cut.wasm", &component[..cut]);
        let transcript = transcript(&shell, &["cut.wasm"]);
        let found = format!("it is cut off: it ends after {cut} bytes");
        assert_eq!(transcript.matches(&found).count(), 3, "{transcript}");
        said.push(transcript.replace(&cut.to_string(), "[cut]"));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn broken_files_of_a_configuration() {
    let minimal = wasm(modules::MINIMAL);
    let shell = Shell::with(&[
        ("cut.wasm", &minimal[..minimal.len() - 3]),
        ("body.wasm", &wasm(modules::INVALID_BODY)),
        ("cut.yaml", b"plugins: [{name: auth, file: cut.wasm}]"),
        ("body.yaml", b"plugins: [{name: auth, file: body.wasm}]"),
    ]);
    let commands = ["serve --config cut.yaml", "serve --config body.yaml"];
    insta::assert_snapshot!(shell.transcript(commands));
}

#[cfg(unix)]
#[test]
fn a_fifo_does_not_hang() {
    let shell = Shell::new();
    let fifo = shell.path().join("fifo");
    let made = std::process::Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(made.success());
    let output = shell.run("inspect fifo");
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("is not a file")
    );
}

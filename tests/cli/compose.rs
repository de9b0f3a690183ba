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

/// What is there stays when there is no room for what takes its place, and nothing else is left.
#[cfg(unix)]
#[test]
fn writes_all_or_nothing() {
    let shell = Shell::with(&[
        ("minimal.wasm", &wasm(modules::MINIMAL)),
        ("out.wasm", b"before"),
    ]);
    let limited = |output: &str| {
        let command = shell.command(&format!("compose minimal.wasm -o {output}"));
        let limited = std::process::Command::new("sh")
            .args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""])
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(shell.path())
            .output()
            .unwrap();
        assert_eq!(limited.status.code(), Some(1), "{limited:?}");
        String::from_utf8(limited.stderr).unwrap()
    };
    for output in ["out.wasm", "new.wasm"] {
        let error = limited(output);
        let expected = format!("error: cannot write `{output}`; make room for it, or give");
        assert!(error.starts_with(&expected), "{error}");
        assert!(error.contains("`ulimit -f`"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    assert_eq!(fs::read(shell.path().join("out.wasm")).unwrap(), b"before");
    let files = fs::read_dir(shell.path()).unwrap().count();
    assert_eq!(files, 2, "something is left behind");
}

/// A full file system's own error, behind a device's name.
#[cfg(target_os = "linux")]
#[test]
fn writes_to_what_is_no_file() {
    let shell = Shell::with(&[("minimal.wasm", &wasm(modules::MINIMAL))]);
    let printed = shell.run("compose minimal.wasm -o -").stdout;
    let piped = shell.run("compose minimal.wasm -o /dev/stdout").stdout;
    assert!(printed == piped, "{} and {}", printed.len(), piped.len());
    assert!(
        shell
            .run("compose minimal.wasm -o /dev/null")
            .status
            .success()
    );
    insta::assert_snapshot!(shell.transcript(["compose minimal.wasm -o /dev/full"]));
}

/// The file that a link leads to is written, with the permissions that it had.
#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let shell = Shell::with(&[
        ("minimal.wasm", &wasm(modules::MINIMAL)),
        ("real.wasm", b"before"),
    ]);
    let (real, link) = (shell.path().join("real.wasm"), shell.path().join("link"));
    symlink("real.wasm", &link).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(shell.run("compose minimal.wasm -o link").status.success());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(fs::read(&real).unwrap().get(..4), Some(&b"\0asm"[..]));
}

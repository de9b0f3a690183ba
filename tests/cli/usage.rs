//! Wrong usage: exit code 2, and one line that names the flag and the way out.

use crate::shell::Shell;

#[test]
fn commands() {
    let commands = [
        "",
        "surf",
        "--surf",
        "serve",
        "serve --surf plugin.wasm",
        "compose",
        "compose a.wasm",
        "inspect",
        "inspect a b",
    ];
    insta::assert_snapshot!(Shell::new().transcript(commands));
}

#[test]
fn values_of_flags() {
    let commands = [
        "serve a.wasm --listen",
        "serve a.wasm --listen localhost",
        "serve a.wasm --listen 8080",
        "serve a.wasm --listen 127.0.0.1:99999",
        "serve a.wasm --workers 0",
        "serve a.wasm --workers many",
        "serve a.wasm --workers -1",
        "serve a.wasm --workers 100000",
        "serve a.wasm --upstream 127.0.0.1:9000",
        "serve a.wasm --upstream ftp://127.0.0.1",
        "serve a.wasm --upstream nocluster",
        "serve a.wasm --upstream nocluster --cluster auth=http://a",
        "serve a.wasm --upstream http://user:secret@127.0.0.1",
        "serve a.wasm --upstream http://127.0.0.1:9000/base",
        "serve a.wasm --upstream http://127.0.0.1:99999",
        "serve a.wasm --upstream http://",
        "serve a.wasm --log-level loud",
        "serve a.wasm --cluster auth",
        "serve a.wasm --cluster auth=127.0.0.1:9000",
        "serve a.wasm --cluster auth=http://a --cluster auth=http://b",
        "serve a.wasm --failure-policy ajar",
        "serve a.wasm --callouts all",
        "serve a.wasm --on-headers-pause never",
        "serve a.wasm --service twice",
        "serve a.wasm --name ''",
        "serve a.wasm --cache-dir ''",
        "serve ''",
        "serve a.wasm --plugin-config @nowhere.json",
        "serve missing.wasm --plugin-config --- --vm-config -x",
        "serve a.wasm --plugin-config @/dev/zero",
        "serve a.wasm --vm-config @.",
    ];
    insta::assert_snapshot!(Shell::new().transcript(commands));
}

#[test]
fn flags_that_exclude_each_other() {
    let commands = [
        "serve a.wasm b.wasm --name both",
        "serve a.wasm b.wasm --plugin-config x",
        "serve a.wasm --config proxy.yaml",
        "serve --config proxy.yaml --root-id x",
        "serve a.wasm --cache-dir x --no-cache",
        "serve a.wasm --workers 1 --workers 2",
    ];
    insta::assert_snapshot!(Shell::new().transcript(commands));
}

#[cfg(unix)]
#[test]
fn arguments_need_not_be_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let shell = Shell::new();
    for command in ["inspect", "serve", "compose -o out"] {
        let output = shell
            .command(command)
            .arg(OsStr::from_bytes(b"\xff\n\x1b[31m"))
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with("error: "), "{stderr}");
        assert_eq!(
            stderr.matches(char::is_control).collect::<Vec<_>>(),
            ["\n"],
            "{stderr:?}"
        );
    }
}

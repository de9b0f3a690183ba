//! Configuration files that are wrong: exit code 2, and one line that names file, line, key and way out.

use crate::shell::Shell;

/// Serves with each text as the configuration file, and shows both.
fn transcript(texts: &[&str]) -> String {
    let shell = Shell::new();
    let serve = |text: &&str| {
        shell.write("proxy.yaml", text);
        format!(
            "{text}\n{}",
            shell.transcript(["serve --config proxy.yaml"])
        )
    };
    texts.iter().map(serve).collect::<Vec<_>>().join("----\n")
}

#[test]
fn keys() {
    insta::assert_snapshot!(transcript(&[
        "listen: 127.0.0.1:0\nclusters: []",
        "workers: 1\n\nlimits:\n  vm_memory: 64MiB\n  vm_memori: 1MiB",
        "timeouts: {connect: 1s, conect: 1s}",
        "plugins:\n- file: a.wasm\n- file: b.wasm\n  root-id: x",
        "workers: 1\nworkers: 2",
    ]));
}

#[test]
fn shapes() {
    insta::assert_snapshot!(transcript(&[
        "listen:\n  - 127.0.0.1:0",
        "workers: {number: 2}",
        "limits: 3",
        "plugins: a.wasm",
        "plugins:\n- a.wasm",
        "- listen: 127.0.0.1:0",
        "text",
        "listen: 'unclosed",
        "listen: [",
        "a:\n b\n  c: d",
        "plugins: *unknown",
        "workers: 1\n---\nworkers: 2",
    ]));
}

#[test]
fn values() {
    insta::assert_snapshot!(transcript(&[
        "listen: localhost:80",
        "workers: 0",
        "workers: 1.5",
        "upstream: https://example.com",
        "rewrite_host: yes",
        "access_log: 1",
        "log_level: loud",
        "cache: maybe",
        "cache_dir: ''",
        "limits:\n  request_buffer: 1 MB",
        "limits:\n  response_buffer: 0",
        "limits:\n  vm_memory: 1KiB",
        "limits:\n  vm_memory: 99999999999999GiB",
        "limits:\n  callback_time: 10",
        "timeouts:\n  idle: 0s",
        "timeouts:\n  drain_grace: 99years",
    ]));
}

#[test]
fn plugins() {
    insta::assert_snapshot!(transcript(&[
        "plugins:\n- name: auth",
        "plugins:\n- {file: a.wasm}\n- {}",
        "plugins:\n- file: ''",
        "plugins:\n- {file: a.wasm, name: auth}\n- {file: b.wasm, name: auth}",
        "plugins:\n- {file: a.wasm, name: ''}",
        "plugins:\n- {file: a.wasm, name: \"a\\nb\"}",
        "plugins:\n- {file: a.wasm, failure_policy: ajar}",
        "plugins:\n- {file: a.wasm, recovery: later}",
        "plugins:\n- {file: a.wasm, on_headers_pause: stop}",
    ]));
}

#[test]
fn files() {
    let shell = Shell::with(&[("latin1.yaml", b"# fine\nlisten: \xe9")]);
    let commands = [
        "serve --config missing.yaml",
        "serve --config .",
        "serve --config latin1.yaml",
    ];
    insta::assert_snapshot!(shell.transcript(commands));
}

#[test]
fn flags_override_the_file() {
    let shell = Shell::with(&[(
        "proxy.yaml",
        b"workers: wrong\nplugins: [{file: missing.wasm}]",
    )]);
    // The file's value would be refused if it still counted.
    insta::assert_snapshot!(shell.transcript([
        "serve --config proxy.yaml",
        "serve --config proxy.yaml --workers 1"
    ]));
}

#[test]
fn plugin_paths_start_from_the_file() {
    let shell = Shell::new();
    std::fs::create_dir(shell.path().join("etc")).unwrap();
    shell.write("etc/proxy.yaml", "plugins: [{file: ../lib/missing.wasm}]");
    insta::assert_snapshot!(shell.transcript(["serve --config etc/proxy.yaml"]));
}

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
        "listen: 127.0.0.1:0\ncluster: []",
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
        "workers: !!int 1",
        "plugins:\n- file: a.wasm\n  env: {A: }",
        "plugins:\n- file: a.wasm\n- file: b.wasm\n  callouts: any",
        "plugins:\n- file: a.wasm\n\n-\n  - file: b.wasm",
        "plugins: [{file: a.wasm, callouts: {allowed: any}}]",
        "clusters: [{name: a, url: 'https://a', tls: true}]",
        "routes:\n- cluster: a\n  match:\n    headers:\n    - x-version",
    ]));
}

#[test]
fn values() {
    insta::assert_snapshot!(transcript(&[
        "listen: localhost:80",
        "workers: 0",
        "workers: 1.5",
        "upstream: example.com",
        "upstream: https://example.com/path",
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
        "limits:\n  callouts: many",
        "timeouts:\n  idle: 0s",
        "timeouts:\n  drain_grace: 99years",
        "restarts:\n  first_wait: 0s",
        "restarts:\n  failures: 0",
        "restarts: {first_wait: 2m, longest_wait: 1s}",
        "restarts: {first_wait: 2m}",
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
        "plugins:\n- {file: a.wasm, service: twice}",
        "plugins:\n- {file: a.wasm, callouts: {allow: all}}",
    ]));
}

#[test]
fn clusters() {
    insta::assert_snapshot!(transcript(&[
        "clusters:\n- name: a",
        "clusters:\n- url: http://a",
        "clusters:\n- {name: a, url: 'http://a'}\n- {name: a, url: 'http://b'}",
        "clusters:\n- {name: '', url: 'http://a'}",
        "clusters:\n- {name: a, url: a}",
        "clusters:\n- {name: a, url: 'http://a', tls: {server_name: b}}",
        "clusters:\n- {name: a, url: 'https://a', tls: {server_name: 'b:1'}}",
        "clusters:\n- {name: a, url: 'https://a', tls: {ca: missing.pem}}",
        "clusters:\n- {name: a, url: 'https://a', tls: {ca: proxy.yaml}}",
        "clusters:\n- {name: a, url: 'https://a', tls: {ca: /dev/zero}}",
        "clusters:\n- {name: a, url: 'https://a', tls: {insecure: true}}",
        "clusters:\n- {name: a, url: 'https://a!'}",
        "clusters:\n- {name: a, url: 'http://[zz]:1'}",
        "clusters:\n- {name: a, url: 'http://a:+80'}",
        "clusters:\n- {name: a, url: 'http://a'}\n- {name: b, url: 'http://b'}\nupstream: c",
        "upstream: https://a!",
        "clusters:\n- {name: upstream, url: 'http://a'}\nupstream: http://b",
    ]));
}

#[test]
fn routes() {
    let route = |route: &str| format!("clusters: [{{name: a, url: 'http://a'}}]\nroutes:\n{route}");
    let texts = [
        "- {cluster: b}",
        "- {match: {path_prefix: /a}}",
        "- {cluster: a}\n- {cluster: a}",
        "- {match: {path_prefix: /}, cluster: a}\n- {cluster: a}",
        "- {match: {path_prefix: a}, cluster: a}",
        "- {match: {authority: 'a@b'}, cluster: a}",
        "- {match: {authority: 'a*'}, cluster: a}",
        "- {match: {authority: 'a:99999'}, cluster: a}",
        "- {match: {authority: ':80'}, cluster: a}",
        "- {match: {authority: '.a'}, cluster: a}",
        "- {match: {authority: '*.a:x'}, cluster: a}",
        "- {match: {headers: [{value: b}]}, cluster: a}",
        "- {match: {headers: [{name: b, value: \"\\x07\"}]}, cluster: a}",
        "- {match: {headers: [{name: 'a b'}]}, cluster: a}",
        "- {match: {headers: [{name: Host, value: b}]}, cluster: a}",
        "- {cluster: a, rewrite: {path_prefix: /b}}",
        "- {cluster: a, rewrite: {authority: 'b c'}}",
        "- {cluster: a, rewrite: {authority: '*.b'}}",
        "- {match: {path: /a}, cluster: a}",
        "- {cluster: a}\nupstream: http://b",
    ]
    .map(route);
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    insta::assert_snapshot!(transcript(&texts));
}

#[test]
fn files() {
    let nested = format!("plugins: {}", "[".repeat(100_000));
    let shell = Shell::with(&[
        ("latin1.yaml", b"# fine\nlisten: \xe9"),
        ("huge.yaml", " ".repeat(17 << 20).as_bytes()),
        ("nested.yaml", nested.as_bytes()),
        ("nul.yaml", b"workers: 1\nlisten: \0nonsense"),
        ("zeros.yaml", &[0; 4096]),
        ("escape.yaml", b"# \x1b[31m"),
    ]);
    let commands = [
        "serve --config missing.yaml",
        "serve --config .",
        "serve --config latin1.yaml",
        "serve --config huge.yaml",
        "serve --config nested.yaml",
        "serve --config nul.yaml",
        "serve --config zeros.yaml",
        "serve --config escape.yaml",
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

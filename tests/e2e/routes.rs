//! Routes: which cluster a request goes to, and how plugins change that.

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Example, Kind, Origin, Proxy};

use crate::{configuration, module, proxy, text};

/// An origin that says its name.
fn origin(name: &'static str) -> Origin {
    Origin::start(move |_| Response::new(Bytes::from(name)))
}

/// A proxy with the clusters `a` and `b`.
fn serve(a: &Origin, b: &Origin, rest: &str) -> Proxy {
    let file = configuration(&format!(
        "clusters: [{{name: a, url: '{}'}}, {{name: b, url: '{}'}}]\n{rest}",
        a.url(),
        b.url()
    ));
    proxy().arg("--config").arg(file).start()
}

#[test]
fn requests_go_where_they_match() {
    let (a, b) = (origin("a"), origin("b"));
    let plugin = Example::Headers.file(Kind::Wit);
    // Without plugins, and with one.
    for plugins in [
        String::new(),
        format!("plugins: [{{file: {}}}]", text(&plugin)),
    ] {
        let proxy = serve(
            &a,
            &b,
            &format!(
                "routes:\n\
                 - {{match: {{authority: one.example}}, cluster: b}}\n\
                 - {{match: {{authority: 127.0.0.1, path_prefix: /ip}}, cluster: a}}\n\
                 - match: {{path_prefix: /b, headers: [{{name: x-b, value: \"1\"}}]}}\n  \
                   cluster: b\n  \
                   rewrite: {{path_prefix: /, authority: b.example}}\n\
                 {plugins}"
            ),
        );
        let client = proxy.client();
        let get = |path, headers: &[(&str, &str)]| client.get(path, headers);
        for client in [proxy.client(), proxy.http2()] {
            assert_eq!(client.get("/ip", &[]).text(), "a");
            let none = client.get("/x", &[]);
            assert_eq!(none.status, 404);
            assert_eq!(none.text(), "no route\n");
        }
        let reply = get("/b/c?d", &[("x-b", "1")]);
        assert_eq!(reply.text(), "b");
        let received = b.received().pop().unwrap();
        assert_eq!(received.path, "/c?d");
        assert_eq!(received.headers["host"], "b.example");
        assert_eq!(get("/b/c?d", &[]).status, 404);
        proxy.wait_for_log(&["\"GET /b/c?d HTTP/1.1\" 200", " b"]);
    }
}

/// A 0.2.1 module that reads a property and sets `:path` to `/b` in its callback, clearing the route cache if asked to.
fn rerouting(reads: bool, clears: bool) -> std::path::PathBuf {
    let read = if reads {
        r#"(drop (call $get (i32.const 0) (i32.const 12) (i32.const 128) (i32.const 132)))"#
    } else {
        ""
    };
    let clear = if clears {
        r#"(drop (call $foreign (i32.const 32) (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 128) (i32.const 132)))"#
    } else {
        ""
    };
    module(&format!(
        r#"(module
            (import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))
            (import "env" "proxy_call_foreign_function" (func $foreign
                (param i32 i32 i32 i32 i32 i32) (result i32)))
            (import "env" "proxy_replace_header_map_value" (func $set (param i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "cluster_name")
            (data (i32.const 32) "clear_route_cache")
            (data (i32.const 64) ":path")
            (data (i32.const 80) "/b")
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 4096))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                {read}
                (drop (call $set (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 80) (i32.const 2)))
                {clear}
                (i32.const 0)))"#
    ))
}

/// ABI 7.4: the route is chosen when it is first needed, and again when asked to.
#[test]
fn plugins_reroute() {
    let (a, b) = (origin("a"), origin("b"));
    let table = [
        // Nobody needed it before the edit.
        (rerouting(false, false), "b"),
        (rerouting(true, false), "a"),
        (rerouting(true, true), "b"),
    ];
    for (plugin, expected) in table {
        let proxy = serve(
            &a,
            &b,
            &format!(
                "routes: [{{match: {{path_prefix: /b}}, cluster: b}}, {{cluster: a}}]\n\
                 plugins: [{{file: {}}}]",
                text(&plugin)
            ),
        );
        assert_eq!(proxy.get("/a").text(), expected, "{}", plugin.display());
    }
    assert!(a.received().iter().all(|request| request.path == "/b"));
}

/// A 0.1.0 module's edits have the route chosen again by themselves.
#[test]
fn old_plugins_reroute_by_editing() {
    let (a, b) = (origin("a"), origin("b"));
    let plugin = module(
        r#"(module
            (import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))
            (import "env" "proxy_replace_header_map_value" (func $set (param i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "cluster_name")
            (data (i32.const 64) "x-to")
            (data (i32.const 80) "b")
            (func (export "proxy_abi_version_0_1_0"))
            (func (export "malloc") (param i32) (result i32) (i32.const 4096))
            (func (export "proxy_on_request_headers") (param i32 i32) (result i32)
                (drop (call $get (i32.const 0) (i32.const 12) (i32.const 128) (i32.const 132)))
                (drop (call $set (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 80) (i32.const 1)))
                (i32.const 0)))"#,
    );
    let proxy = serve(
        &a,
        &b,
        &format!(
            "routes:\n\
             - {{match: {{headers: [{{name: x-to, value: b}}]}}, cluster: b}}\n\
             - {{cluster: a}}\n\
             plugins: [{{file: {}}}]",
            text(&plugin)
        ),
    );
    assert_eq!(proxy.get("/").text(), "b");
}

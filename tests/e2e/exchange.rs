//! Exchanges around plugins: bodies, clients that leave, upstreams that fail.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Example, Kind, Origin};

use crate::{both_kinds, module, proxy};

both_kinds!(
    bodies_pass_unchanged,
    a_head_request_has_no_body,
    a_client_that_leaves_ends_its_stream,
    a_request_that_breaks_off_ends_its_connection,
    an_upstream_that_is_not_there_is_a_503,
    a_request_that_is_answered_early_is_given_up,
);

fn bodies_pass_unchanged(kind: Kind) {
    let origin = Origin::start(|request| Response::new(request.body.clone()));
    let proxy = proxy()
        .arg(Example::Headers.file(kind))
        .args(["--upstream", &origin.url()])
        .start();
    for size in [0, 1, 70_000, 5_000_000_usize] {
        let body: Bytes = (0..size)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        for client in [proxy.client(), proxy.http2()] {
            let reply = client.request("POST", "/echo", &[], body.clone());
            assert_eq!(reply.status, 200);
            assert!(reply.body == body, "{size} bytes changed on their way");
            assert_eq!(reply.header("x-plugin").as_deref(), Some("headers"));
        }
    }
}

fn a_head_request_has_no_body(kind: Kind) {
    let origin = Origin::start(|_| Response::new(Bytes::from("hidden")));
    let proxy = proxy()
        .arg(Example::Headers.file(kind))
        .args(["--upstream", &origin.url()])
        .start();
    let reply = proxy.client().request("HEAD", "/", &[], "");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-length").as_deref(), Some("6"));
    assert_eq!(reply.header("x-plugin").as_deref(), Some("headers"));
    assert!(reply.body.is_empty());
}

/// Done, log and delete still run: the plugin's line is there, and so is the access log's.
fn a_client_that_leaves_ends_its_stream(kind: Kind) {
    // An upstream that accepts and never answers.
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let proxy = proxy()
        .arg(Example::Headers.file(kind))
        .args(["--upstream", &url, "--log-level", "debug"])
        .start();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"GET /abandoned HTTP/1.1\r\nhost: a\r\nx-request-id: gone\r\n\r\n")
        .unwrap();
    // The request is on its way, and its stream exists.
    let (mut waiting, _) = upstream.accept().unwrap();
    let mut start = [0; 14];
    waiting.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"GET /abandoned");
    drop(client);
    let line = proxy.wait_for_log(&["GET /abandoned -"]);
    assert!(line.contains("request_id=\"gone\""), "{line}");
    proxy.wait_for_log(&["\"GET /abandoned HTTP/1.1\" 0 "]);
}

/// A malformed body is answered at once, and nothing can follow it on its connection.
fn a_request_that_breaks_off_ends_its_connection(kind: Kind) {
    let origin = Origin::start(|_| Response::new(Bytes::new()));
    let proxy = proxy()
        .arg(Example::Body.file(kind))
        .args(["--plugin-config", "mode=digest"])
        .args(["--upstream", &origin.url()])
        .start();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
        .unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    // Nor is a body waited for at the end whose client has gone.
    let mut leaver = TcpStream::connect(proxy.address()).unwrap();
    leaver
        .write_all(b"POST /left HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf")
        .unwrap();
    drop(leaver);
    proxy.wait_for_log(&["\"POST /left HTTP/1.1\" 400 "]);
    proxy.terminate();
    let ended = proxy.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

fn an_upstream_that_is_not_there_is_a_503(kind: Kind) {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let proxy = proxy()
        .arg(Example::Headers.file(kind))
        .args(["--upstream", &url])
        .start();
    let reply = proxy.get("/");
    assert_eq!(reply.status, 503);
    assert_eq!(reply.text(), "upstream unavailable\n");
    // A response of the proxy's own passes the plugins' response path like any other.
    assert_eq!(reply.header("x-plugin").as_deref(), Some("headers"));
}

/// A client gives up on a request that the plugin never lets go.
#[test]
fn who_held_an_unanswered_request_is_told() {
    let file = module(
        r#"(module
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) i32.const 1024)
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 1))"#,
    );
    let proxy = proxy().arg(file).args(["--name", "holder"]).admin().start();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    proxy.wait_for_metric("proxy_wasi_requests_active", 1.0);
    drop(client);
    let line = proxy.wait_for_log(&[
        "ended unanswered while the plugin held the request",
        "holder",
    ]);
    assert!(!line.contains("on_headers_pause"), "{line}");
}

/// A plugin pauses in the headers callback and waits for the body, which Envoy does not show it by default.
#[test]
fn what_lets_a_paused_plugin_see_the_body_is_told() {
    let file = module(
        r#"(module
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) i32.const 1024)
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 1)
            (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) i32.const 0))"#,
    );
    let proxy = proxy().arg(file).args(["--name", "holder"]).admin().start();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc")
        .unwrap();
    proxy.wait_for_metric("proxy_wasi_requests_active", 1.0);
    drop(client);
    let line = proxy.wait_for_log(&["ended unanswered while the plugin held the request"]);
    assert!(
        line.contains("`on_headers_pause: stop_iteration`"),
        "{line}"
    );
}

/// The upstream's stream ends with the exchange, also if the plugin sees the body: else it would count for ever.
fn a_request_that_is_answered_early_is_given_up(kind: Kind) {
    let (origin, ended) = Origin::early();
    for url in [origin.h2c_url(), origin.url()] {
        let proxy = proxy()
            .arg(Example::Bodies.file(kind))
            .args(["--upstream", &url])
            .start();
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        client
            .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nbody")
            .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"early") {
            let mut bytes = [0; 1024];
            let read = client.read(&mut bytes).unwrap();
            assert!(
                read > 0,
                "cut off after {}",
                String::from_utf8_lossy(&answer)
            );
            answer.extend_from_slice(&bytes[..read]);
        }
        drop(client);
        let end = ended.recv_timeout(Duration::from_secs(60));
        assert!(end.expect("the upstream waits for ever").is_err(), "{url}");
    }
}

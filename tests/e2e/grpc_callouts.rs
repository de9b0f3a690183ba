//! gRPC callouts, to a real server.

use std::net::TcpListener;

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Ca, Example, GrpcServer, Kind, Origin, Proxy};

use crate::{both_kinds, configuration, proxy, text};

both_kinds!(
    a_call_is_answered_with_its_message,
    a_call_that_fails_is_closed_with_its_status,
    a_call_is_given_up_after_its_timeout,
    a_stream_has_its_events_in_order,
    a_stream_that_fails_is_closed_with_its_status,
    a_cancelled_stream_is_reset_and_says_no_more,
    calls_and_streams_over_tls,
    what_cannot_be_reached_is_unavailable,
    what_is_not_grpc_is_a_status,
    a_message_that_is_too_large_is_refused,
    an_answer_that_is_too_large_is_a_status,
    a_cluster_of_http1_is_refused,
);

fn serve(kind: Kind, cluster: &str) -> Proxy {
    proxy()
        .arg(Example::Callout.file(kind))
        .args(["--cluster", &format!("echo={cluster}")])
        .start()
}

fn a_call_is_answered_with_its_message(kind: Kind) {
    let server = GrpcServer::start(None);
    let proxy = serve(kind, &server.url());
    for _ in 0..3 {
        assert_eq!(proxy.get("/unary/echo/hello").text(), "message HELLO");
    }
}

fn a_call_that_fails_is_closed_with_its_status(kind: Kind) {
    let server = GrpcServer::start(None);
    let proxy = serve(kind, &server.url());
    assert_eq!(proxy.get("/unary/echo/fail").text(), "close 7 no \"entry\"");
}

fn a_call_is_given_up_after_its_timeout(kind: Kind) {
    let server = GrpcServer::start(None);
    let proxy = serve(kind, &server.url());
    let reply = proxy.get("/unary/echo/slow");
    // The server may be the first to notice: it is told the timeout.
    assert!(
        reply.text().starts_with("close 4 ") || reply.text().starts_with("close 1 "),
        "{}",
        reply.text()
    );
}

fn a_stream_has_its_events_in_order(kind: Kind) {
    let server = GrpcServer::start(None);
    let proxy = serve(kind, &server.url());
    assert_eq!(
        proxy.get("/stream/echo/a,bc,d").text(),
        "initial m; message A; message BC; message D; trailing ; close 0 0 "
    );
    assert_eq!(server.wait_for_closed_streams(), 1);
}

fn a_stream_that_fails_is_closed_with_its_status(kind: Kind) {
    let server = GrpcServer::start(None);
    let proxy = serve(kind, &server.url());
    assert_eq!(
        proxy.get("/stream/echo/a,fail,b").text(),
        "initial m; message A; trailing t; close 7 7 no \"entry\""
    );
}

fn a_cancelled_stream_is_reset_and_says_no_more(kind: Kind) {
    let server = GrpcServer::start(None);
    let proxy = serve(kind, &server.url());
    // The plugin has not ended its side: without the reset, the server would wait for more.
    assert_eq!(proxy.get("/cancel/echo").text(), "initial m; message A");
    assert_eq!(server.wait_for_closed_streams(), 1);
}

fn calls_and_streams_over_tls(kind: Kind) {
    let ca = Ca::new();
    let server = GrpcServer::start(Some(ca.server("127.0.0.1", &["h2"])));
    let file = configuration(&format!(
        "clusters: [{{name: echo, url: '{}', tls: {{ca: {}}}}}]\nplugins: [{{file: {}}}]",
        server.url(),
        ca.file(),
        text(&Example::Callout.file(kind)),
    ));
    let proxy = proxy().arg("--config").arg(file).start();
    assert_eq!(proxy.get("/unary/echo/hello").text(), "message HELLO");
    assert_eq!(
        proxy.get("/stream/echo/a").text(),
        "initial m; message A; trailing ; close 0 0 "
    );
}

fn what_cannot_be_reached_is_unavailable(kind: Kind) {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("h2c://{}", closed.local_addr().unwrap());
    drop(closed);
    let proxy = serve(kind, &url);
    let reply = proxy.get("/unary/echo/hello");
    assert!(
        reply.text().starts_with("close 14 upstream `echo`"),
        "{}",
        reply.text()
    );
    let reply = proxy.get("/stream/echo/hello");
    assert!(
        reply.text().starts_with("close 14 14 upstream `echo`"),
        "{}",
        reply.text()
    );
}

fn what_is_not_grpc_is_a_status(kind: Kind) {
    let origin = Origin::start(|_| {
        Response::builder()
            .status(403)
            .body(Bytes::from("no"))
            .unwrap()
    });
    let proxy = serve(kind, &format!("h2c://{}", origin.address()));
    assert_eq!(
        proxy.get("/unary/echo/hello").text(),
        "close 7 the server answered with HTTP status 403"
    );
    let asked = &origin.received()[0];
    assert_eq!(asked.path, "/test.Echo/Say");
    assert_eq!(asked.headers["content-type"], "application/grpc");
    assert_eq!(asked.headers["te"], "trailers");
    assert_eq!(asked.headers["x-meta"], "m");
    assert_eq!(asked.headers["grpc-timeout"], "60000000u");
    assert_eq!(asked.body, &b"\0\0\0\0\x07\x0a\x05hello"[..]);
}

/// A proxy that takes messages of 30 bytes.
fn serve_limited(kind: Kind, server: &GrpcServer) -> Proxy {
    let file = configuration(&format!(
        "clusters: [{{name: echo, url: '{}'}}]\n\
         limits: {{callout_response: 30B}}\n\
         plugins: [{{file: {}}}]",
        server.url(),
        text(&Example::Callout.file(kind)),
    ));
    proxy().arg("--config").arg(file).start()
}

fn an_answer_that_is_too_large_is_a_status(kind: Kind) {
    let server = GrpcServer::start(None);
    let proxy = serve_limited(kind, &server);
    let why = "a message has more than 30 bytes; see `limits.callout_response`";
    assert_eq!(
        proxy.get("/unary/echo/long").text(),
        format!("close 8 {why}")
    );
    assert_eq!(
        proxy.get("/stream/echo/a,long,b").text(),
        format!("initial m; message A; close 8 8 {why}")
    );
}

fn a_message_that_is_too_large_is_refused(kind: Kind) {
    let server = GrpcServer::start(None);
    let proxy = serve_limited(kind, &server);
    // 31 bytes, with the field's tag and length.
    let text = "x".repeat(29);
    let reply = proxy.get(&format!("/unary/echo/{text}"));
    assert_eq!(reply.status, 500);
    assert!(reply.text().starts_with("refused: "), "{}", reply.text());
    proxy.wait_for_log(&["callout refused", "a gRPC message has 31 bytes"]);
}

fn a_cluster_of_http1_is_refused(kind: Kind) {
    let proxy = serve(kind, "http://127.0.0.1:1");
    assert_eq!(proxy.get("/unary/echo/hello").status, 500);
    proxy.wait_for_log(&["callout refused", "gRPC needs HTTP/2"]);
}

//! What a local response is made of (ABI reference 4.8).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, both_kinds};

both_kinds!(
    status_body_and_headers,
    content_type_and_length_are_the_hosts,
    an_empty_body_has_neither_type_nor_length,
    the_first_of_two_wins,
    a_head_request_gets_no_body,
    a_grpc_request_gets_a_grpc_answer,
    details_are_one_word,
);

fn reply(kind: Kind, call: &str, headers: &[(&str, &str)]) -> proxy_wasi_test_support::Reply {
    let script = format!("request_headers:\n {call}\n return(1)");
    let running = Case::new(kind, &script).start();
    let reply = running.proxy.client().get("/", headers);
    running.end();
    reply
}

fn status_body_and_headers(kind: Kind) {
    let call = "send_local_response(418, 'teapot', 'short and stout', pairs('X-Two' '1' 'x-two' '2'), -1) => 0";
    let reply = reply(kind, call, &[]);
    assert_eq!(
        (reply.status.as_u16(), reply.text()),
        (418, "short and stout")
    );
    assert_eq!(reply.header("x-two").as_deref(), Some("1, 2"));
}

fn content_type_and_length_are_the_hosts(kind: Kind) {
    let call = "send_local_response(200, '', 'body', '', -1)";
    let answer = reply(kind, call, &[]);
    assert_eq!(answer.header("content-type").as_deref(), Some("text/plain"));
    assert_eq!(answer.header("content-length").as_deref(), Some("4"));
    let call = "send_local_response(200, '', 'body', pairs('content-type' 'a/b' 'content-length' '99'), -1)";
    let answer = reply(kind, call, &[]);
    assert_eq!(answer.header("content-type").as_deref(), Some("a/b"));
    assert_eq!(answer.header("content-length").as_deref(), Some("4"));
    assert_eq!(answer.text(), "body");
}

fn an_empty_body_has_neither_type_nor_length(kind: Kind) {
    let call = "send_local_response(200, '', '', pairs('content-type' 'a/b' 'content-length' '99' 'x-a' '1'), -1)";
    let reply = reply(kind, call, &[]);
    assert_eq!(reply.header("content-type"), None);
    assert_ne!(reply.header("content-length").as_deref(), Some("99"));
    assert_eq!(reply.header("x-a").as_deref(), Some("1"));
    assert_eq!(reply.text(), "");
}

fn the_first_of_two_wins(kind: Kind) {
    let call = "send_local_response(401, '', 'first', '', -1) => 0
        send_local_response(402, '', 'second', '', -1) => 0";
    let reply = reply(kind, call, &[]);
    assert_eq!((reply.status.as_u16(), reply.text()), (401, "first"));
}

fn a_head_request_gets_no_body(kind: Kind) {
    let script = "request_headers:\n send_local_response(200, '', 'body', '', -1)\n return(1)";
    Case::new(kind, script).run(|running| {
        let mut client = running.client();
        client.send_head(&["HEAD / HTTP/1.1", "host: a", "connection: close"]);
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert_eq!(client.rest(), "");
    });
}

fn a_grpc_request_gets_a_grpc_answer(kind: Kind) {
    for (status, grpc_status, expected) in [
        (403, -1, "7"),
        (400, -1, "13"),
        (401, -1, "16"),
        (404, -1, "12"),
        (429, -1, "14"),
        (502, -1, "14"),
        (503, -1, "14"),
        (504, -1, "14"),
        (500, -1, "2"),
        (403, 5, "5"),
        (403, 0, "0"),
        (403, 16, "16"),
    ] {
        let call = format!("send_local_response({status}, '', 'not\\nyou %', '', {grpc_status})");
        let content_types = ["application/grpc", "application/grpc+proto"];
        // Each starts a proxy; one status will do for the rarer type.
        for content_type in &content_types[..if status == 400 { 2 } else { 1 }] {
            let reply = reply(kind, &call, &[("content-type", content_type)]);
            assert_eq!(reply.status, 200);
            assert_eq!(
                reply.header("content-type").as_deref(),
                Some("application/grpc")
            );
            assert_eq!(
                reply.header("grpc-status").as_deref(),
                Some(expected),
                "{call}"
            );
            assert_eq!(
                reply.header("grpc-message").as_deref(),
                Some("not%0Ayou %25")
            );
            assert_eq!(reply.text(), "");
        }
    }
    let call = "send_local_response(403, '', 'not you', '', 5)";
    let plain = reply(kind, call, &[("content-type", "application/grpc-web")]);
    assert_eq!((plain.status.as_u16(), plain.text()), (403, "not you"));
}

fn details_are_one_word(kind: Kind) {
    let script = "request_headers:
            send_local_response(403, 'not for you', 'no', '', -1)
            return(1)
        log:
            get_property('response\\0code_details', out) => 0 'not_for_you' | 0 text 'not_for_you'
            get_property('response\\0code', out) => 0 i64(403) | 0 signed 403";
    Case::new(kind, script).get();
}

/// `:status` is not meant to be among the headers.
#[test]
fn pseudo_headers_are_left_out() {
    let call =
        "send_local_response(403, '', 'no', pairs(':status' '200' ':path' '/' 'x-a' '1'), -1) => 0";
    let reply = reply(Kind::Legacy, call, &[]);
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("x-a").as_deref(), Some("1"));
}

/// Whatever cannot be sent, the status is 0, and the request is answered.
#[test]
fn always_0() {
    for call in [
        "send_local_response(1000, '', 'body', '', -1)",
        "send_local_response(0, '', 'body', '', -1)",
        "send_local_response(100, '', 'body', '', -1)",
        "send_local_response(500, '', 'body', pairs('x evil' 'a'), -1)",
        "send_local_response(500, '', 'body', pairs('x-evil' 'a\\r\\nb: c'), -1)",
        "send_local_response(500, '', 'body', '', 17)",
        "send_local_response(500, '\\xff', 'body', '', 99)",
    ] {
        let reply = reply(Kind::Legacy, &format!("{call} => 0"), &[]);
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (500, "body"),
            "{call}"
        );
    }
}

/// Nothing happens where there is no stream, or no response any more to be replaced.
#[test]
fn nothing_happens_without_a_stream() {
    let call = "send_local_response(500, '', 'body', '', -1) => 0";
    let script =
        format!("vm_start:\n {call}\nconfigure:\n {call}\nlog:\n {call}\ndone#1:\n {call}");
    Case::legacy(&script).run(|running| assert_eq!(running.get("/").status, 200));
}

//! Edits by range, and what they do to `content-length`.

use http::Response;
use proxy_wasi_test_support::{Kind, Origin};

use super::{serve, serve_stop_iteration};
use crate::both_kinds;

both_kinds!(
    ranges_of_a_body_are_edited,
    an_edit_while_the_head_is_held_corrects_the_length,
    an_edit_after_the_head_has_gone_ends_the_exchange,
    a_length_that_was_removed_does_not_bind,
    a_body_of_no_bytes_can_be_filled,
);

fn echo() -> Origin {
    Origin::start(|request| Response::new(request.body.clone()))
}

fn ranges_of_a_body_are_edited(kind: Kind) {
    let origin = echo();
    let proxy = serve(kind, &origin);
    for client in [proxy.client(), proxy.http2()] {
        // Removing the length is the way out that the error below names.
        let both = [(
            "x-do",
            "request-headers=unlength, request-body=edit, response-headers=unlength, response-body=edit",
        )];
        let reply = client.request("POST", "/", &both, "0123456789");
        assert_eq!(origin.received().pop().unwrap().body, "<abcd3456789>");
        assert_eq!(reply.text(), "<abcdcd3456789>>");
        assert_eq!(reply.status, 200);
    }
}

fn an_edit_while_the_head_is_held_corrects_the_length(kind: Kind) {
    let origin = echo();
    let proxy = serve_stop_iteration(kind, origin.address());
    for client in [proxy.client(), proxy.http2()] {
        let request = [("x-do", "request-headers=pause, request-body=edit")];
        let reply = client.request("POST", "/", &request, "0123456789");
        let received = origin.received().pop().unwrap();
        assert_eq!(received.headers["content-length"], "13");
        assert_eq!(received.body, "<abcd3456789>");
        assert_eq!(reply.text(), "<abcd3456789>");

        let response = [("x-do", "response-headers=pause, response-body=edit")];
        let reply = client.request("POST", "/", &response, "0123456789");
        assert_eq!(reply.header("content-length").as_deref(), Some("13"));
        assert_eq!(reply.text(), "<abcd3456789>");
    }
}

fn an_edit_after_the_head_has_gone_ends_the_exchange(kind: Kind) {
    let origin = echo();
    let proxy = serve(kind, &origin);
    for client in [proxy.client(), proxy.http2()] {
        let response = [("x-do", "response-body=lengthen"), ("content-length", "4")];
        let reply = client.post("/response", &response, &["body"], &[]);
        assert!(reply.is_err(), "a response of a wrong length: {reply:?}");

        let request = [("x-do", "request-body=lengthen"), ("content-length", "4")];
        let reply = client.post("/request", &request, &["body"], &[]);
        assert!(reply.map_or(true, |reply| reply.status.is_server_error()));
        let arrived = |request: &proxy_wasi_test_support::Received| request.path == "/request";
        let whole = origin.received().into_iter().find(arrived);
        assert!(whole.is_none_or(|request| request.body.is_empty()));
    }
    for line in proxy.wait_for_lines("content-length", 4) {
        assert!(line.contains("bodies"), "it names the plugin: {line}");
    }
}

fn a_length_that_was_removed_does_not_bind(kind: Kind) {
    let origin = echo();
    let proxy = serve(kind, &origin);
    for client in [proxy.client(), proxy.http2()] {
        let response = [("x-do", "response-headers=unlength, response-body=lengthen")];
        let reply = client.request("POST", "/", &response, "body");
        assert_eq!(reply.header("content-length"), None);
        assert!(reply.text().starts_with("body!"), "{}", reply.text());
    }
}

/// A head that says that a body follows, and a body without bytes: the callback comes, and can make some.
fn a_body_of_no_bytes_can_be_filled(kind: Kind) {
    let origin = echo();
    let proxy = serve(kind, &origin);
    let edit = [("x-do", "request-body=edit")];
    let reply = proxy.http2().post("/", &edit, &[""], &[]).unwrap();
    assert_eq!(reply.text(), "<abcd>");
}

/// The ABI of legacy modules cannot say this: its host call refuses, and the Rust SDK panics on that.
#[test]
fn components_edit_the_middle_of_a_body() {
    let origin = echo();
    let proxy = serve(Kind::Wit, &origin);
    let middle = [("x-do", "request-body=edit-middle")];
    let reply = proxy.client().request("POST", "/", &middle, "body");
    assert_eq!(reply.text(), "b?dy");
}

//! ABI reference 4.8: local responses of the host, and what they look like.

use http::header::{CONTENT_TYPE, HeaderValue};
use proxy_wasi_stream::{FilterIndex, LocalResponse};

use crate::chain::{Chain, filter, go_on, is_request_headers, local_response, passive, request};

#[test]
fn the_host_may_answer_too() {
    let mut chain = Chain::new(vec![passive()]);
    chain.get();
    let response = LocalResponse {
        details: "upstream timeout".into(),
        ..local_response(504, "")
    };
    let log = chain.tell(|stream| stream.handle_local_response(response));
    assert_eq!(
        log,
        ["abandon upstream", "0 response headers 0 end", "< 504 end"]
    );
    assert_eq!(chain.stream.response_details(), Some("upstream_timeout"));
}

#[test]
fn the_host_may_answer_before_there_is_a_request() {
    let mut chain = Chain::new(vec![passive()]);
    let log = chain.tell(|stream| stream.handle_local_response(local_response(408, "")));
    assert_eq!(log, ["abandon upstream", "< 408 end"]);
    assert!(chain.get().is_empty());
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
fn head_requests_get_no_body() {
    let mut chain = Chain::new(vec![passive()]);
    chain.tell(|stream| stream.handle_request_head(request("HEAD"), true));
    let log =
        chain.tell(|stream| stream.send_local_response(FilterIndex(0), local_response(403, "no")));
    let head = "< 403 content-length=2 content-type=text/plain end";
    assert_eq!(log, ["abandon upstream", "0 response headers 2 end", head]);
}

#[test]
fn grpc_requests_get_a_grpc_status() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if is_request_headers(callback) {
            stream.send_local_response(index, local_response(403, "no"));
        }
        go_on(callback)
    })]);
    let mut head = request("POST");
    head.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/grpc+proto"),
    );
    let log = chain.tell(|stream| stream.handle_request_head(head, false));
    let expected = "< 200 content-type=application/grpc grpc-status=7 grpc-message=no end";
    assert_eq!(log.last().unwrap(), expected);
}

#[test]
fn a_local_response_may_carry_fields() {
    let mut chain = Chain::new(vec![]);
    chain.get();
    let mut local = local_response(302, "");
    for value in ["a", "b"] {
        local
            .headers
            .append("set-cookie", HeaderValue::from_static(value));
    }
    let log = chain.tell(|stream| stream.handle_local_response(local));
    assert_eq!(
        log,
        ["abandon upstream", "< 302 set-cookie=a set-cookie=b end"]
    );
}

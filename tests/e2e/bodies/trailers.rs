//! Trailers, both ways.

use bytes::Bytes;
use http::{HeaderMap, Response};
use proxy_wasi_test_support::{Kind, Origin, Trailers};

use super::serve_before;
use crate::both_kinds;

both_kinds!(
    trailers_pass_in_both_directions,
    trailers_are_read_and_edited,
    a_held_body_goes_before_its_trailers,
);

/// Answers with the request's body and trailers.
fn echo() -> Origin {
    Origin::start(|request| {
        let trailers: HeaderMap = request.trailers.clone().unwrap_or_default();
        Response::builder()
            .header("trailer", "x-seen, x-secret, x-marked")
            .extension(Trailers(trailers))
            .body(Bytes::clone(&request.body))
            .unwrap()
    })
}

const TRAILERS: [(&str, &str); 2] = [("x-seen", "value"), ("x-secret", "hidden")];

/// What HTTP/1 needs for trailers, beside the script.
fn headers(script: &str) -> [(&str, &str); 3] {
    [
        ("x-do", script),
        ("te", "trailers"),
        ("trailer", "x-seen, x-secret, x-marked"),
    ]
}

fn trailers_pass_in_both_directions(kind: Kind) {
    let origin = echo();
    for upstream in [origin.url(), origin.h2c_url()] {
        let proxy = serve_before(kind, &upstream);
        for client in [proxy.client(), proxy.http2()] {
            let reply = client
                .post("/", &headers(""), &["a", "b"], &TRAILERS)
                .unwrap();
            assert_eq!(reply.text(), "ab");
            let received = origin.received().pop().unwrap();
            assert_eq!(received.trailers.unwrap()["x-seen"], "value", "{upstream}");
            assert_eq!(reply.trailer("x-seen"), Some("value"), "{upstream}");
            assert_eq!(reply.trailer("x-secret"), Some("hidden"), "{upstream}");
        }
    }
}

fn trailers_are_read_and_edited(kind: Kind) {
    let origin = echo();
    let proxy = serve_before(kind, &origin.h2c_url());
    for client in [proxy.client(), proxy.http2()] {
        let request = headers("request-trailers=mark");
        client.post("/", &request, &["body"], &TRAILERS).unwrap();
        let received = origin.received().pop().unwrap().trailers.unwrap();
        assert_eq!(received["x-marked"], "value");
        assert!(!received.contains_key("x-secret"), "{received:?}");

        let response = headers("response-trailers=mark");
        let reply = client.post("/", &response, &["body"], &TRAILERS).unwrap();
        assert_eq!(reply.trailer("x-marked"), Some("value"));
        assert_eq!(reply.trailer("x-secret"), None);
    }
}

/// A body callback never says that the message ends when trailers follow: what it holds goes on with them.
fn a_held_body_goes_before_its_trailers(kind: Kind) {
    let origin = echo();
    let proxy = serve_before(kind, &origin.h2c_url());
    for client in [proxy.client(), proxy.http2()] {
        let both = headers("request-body=pause, response-body=pause");
        let reply = client
            .post("/", &both, &["one ", "two"], &TRAILERS)
            .unwrap();
        assert_eq!(reply.text(), "one two");
        assert_eq!(reply.trailer("x-seen"), Some("value"));
        assert_eq!(origin.received().pop().unwrap().body, "one two");
    }
}

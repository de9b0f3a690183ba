//! Exchanges that a plugin ends: a response of its own, or a reset.

use bytes::Bytes;
use http::{HeaderMap, Response};
use proxy_wasi_test_support::{Client, Kind, Origin, Reply, Trailers};

use super::{serve_before, serve_stop_iteration};
use crate::both_kinds;

both_kinds!(
    a_plugin_answers_from_the_request,
    a_plugin_answers_while_it_holds_the_response,
    a_plugin_that_answers_too_late_resets_the_exchange,
    a_plugin_resets_the_exchange,
);

/// Answers with a body and trailers.
fn origin() -> Origin {
    Origin::start(|_| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-seen", "trailer".parse().unwrap());
        Response::builder()
            .extension(Trailers(trailers))
            .body(Bytes::from("from the upstream"))
            .unwrap()
    })
}

fn ask(client: Client, script: &str) -> Result<Reply, String> {
    let headers = [("x-do", script), ("te", "trailers"), ("trailer", "x-seen")];
    client
        .post("/", &headers, &["some ", "body"], &[("x-seen", "request")])
        .map_err(|error| error.to_string())
}

fn is_the_plugins(reply: &Reply) {
    assert_eq!(reply.status, 418);
    assert_eq!(reply.text(), "a teapot\n");
    assert_eq!(reply.header("x-made-by").as_deref(), Some("plugin"));
    assert_eq!(reply.trailers, None);
}

fn a_plugin_answers_from_the_request(kind: Kind) {
    let origin = origin();
    let proxy = serve_before(kind, &origin.h2c_url());
    for client in [proxy.client(), proxy.http2()] {
        for callback in ["request-headers", "request-body", "request-trailers"] {
            let reply = ask(client, &format!("{callback}=respond"));
            is_the_plugins(&reply.unwrap_or_else(|error| panic!("{callback}: {error}")));
        }
    }
    // An upstream has at most begun to get those requests.
    assert_eq!(proxy.get("/after").text(), "from the upstream");
    proxy.wait_for_lines("exchange is over", 7);
}

fn a_plugin_answers_while_it_holds_the_response(kind: Kind) {
    let origin = origin();
    let proxy = serve_stop_iteration(kind, origin.address());
    for client in [proxy.client(), proxy.http2()] {
        for script in [
            "response-headers=respond",
            "response-headers=pause, response-body=respond",
        ] {
            let reply = ask(client, script);
            is_the_plugins(&reply.unwrap_or_else(|error| panic!("{script}: {error}")));
        }
    }
}

fn a_plugin_that_answers_too_late_resets_the_exchange(kind: Kind) {
    let origin = origin();
    let proxy = serve_before(kind, &origin.h2c_url());
    for client in [proxy.client(), proxy.http2()] {
        for callback in ["response-body", "response-trailers"] {
            let reply = ask(client, &format!("{callback}=respond"));
            assert!(reply.is_err(), "{callback}: {reply:?}");
        }
    }
    // Others never notice.
    assert_eq!(proxy.get("/after").text(), "from the upstream");
    proxy.wait_for_lines("exchange is over", 5);
}

fn a_plugin_resets_the_exchange(kind: Kind) {
    let origin = origin();
    let proxy = serve_before(kind, &origin.h2c_url());
    let callbacks = [
        "request-headers",
        "request-body",
        "request-trailers",
        "response-headers",
        "response-body",
        "response-trailers",
    ];
    for client in [proxy.client(), proxy.http2()] {
        for callback in callbacks {
            let reply = ask(client, &format!("{callback}=reset"));
            assert!(reply.is_err(), "{callback}: {reply:?}");
        }
    }
    assert_eq!(proxy.get("/after").text(), "from the upstream");
    proxy.wait_for_lines("exchange is over", 13);
}

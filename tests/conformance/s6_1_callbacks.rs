//! Which callbacks come, in which order (ABI reference 6.1).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Upstream, both_kinds};

both_kinds!(
    without_bodies,
    with_bodies,
    no_end_of_stream_in_bodies_when_trailers_follow,
    early_responses,
    informational_responses_are_not_shown,
    the_response_path_is_the_reverse,
);

const POST: [&str; 3] = ["POST / HTTP/1.1", "host: a", "transfer-encoding: chunked"];

fn without_bodies(kind: Kind) {
    let upstream = Upstream::new();
    for method in ["GET", "HEAD"] {
        let report = Case::new(kind, "").upstream(&upstream).run(|running| {
            let mut client = running.client();
            client.send_head(&[&format!("{method} / HTTP/1.1"), "host: a"]);
            let (mut peer, _) = upstream.accept();
            if method == "GET" {
                peer.send_no_content();
            } else {
                peer.send_head(&["HTTP/1.1 200 OK", "content-length: 5"]);
            }
            client.head();
            running.wait_for("log", 1);
        });
        assert_eq!(
            report.stream_callbacks(),
            ["request_headers end", "response_headers end", "log"]
        );
    }
}

fn with_bodies(kind: Kind) {
    let upstream = Upstream::new();
    let report = Case::new(kind, "").upstream(&upstream).run(|running| {
        let mut client = running.client();
        client.send_head(&POST);
        let (mut peer, _) = upstream.accept();
        client.chunk("one");
        assert_eq!(peer.read_chunk().as_deref(), Some("one"));
        client.chunk("three");
        assert_eq!(peer.read_chunk().as_deref(), Some("three"));
        client.chunk("");
        assert_eq!(peer.read_chunk(), None);
        peer.send_head(&["HTTP/1.1 200 OK", "content-length: 4"]);
        client.head();
        peer.send("body");
        assert_eq!(client.read(4), "body");
        running.wait_for("log", 1);
    });
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers",
            "request_body 3",
            "request_body 5",
            "request_body 0 end",
            "response_headers",
            "response_body 4 end",
            "log"
        ]
    );
}

fn no_end_of_stream_in_bodies_when_trailers_follow(kind: Kind) {
    let upstream = Upstream::new();
    let report = Case::new(kind, "").upstream(&upstream).run(|running| {
        let mut client = running.client();
        client.send_head(&[&POST[..], &["te: trailers", "trailer: x-request-trailer"]].concat());
        client.chunk("body");
        client.trailers(&["x-request-trailer: 1"]);
        let (mut peer, _) = upstream.accept();
        let (body, trailers) = peer.chunked_body();
        assert_eq!(
            (body.as_str(), trailers.trim()),
            ("body", "x-request-trailer: 1")
        );
        peer.send_head(&[
            "HTTP/1.1 200 OK",
            "transfer-encoding: chunked",
            "trailer: x-response-trailer",
        ]);
        peer.chunk("answer");
        peer.trailers(&["x-response-trailer: 2"]);
        client.head();
        let (body, trailers) = client.chunked_body();
        assert_eq!(
            (body.as_str(), trailers.trim()),
            ("answer", "x-response-trailer: 2")
        );
        running.wait_for("log", 1);
    });
    let callbacks = report.stream_callbacks();
    assert!(
        !callbacks.iter().any(|text| text.ends_with("end")),
        "{callbacks:?}"
    );
    let trailers: Vec<_> = callbacks
        .iter()
        .filter(|text| text.ends_with("trailers"))
        .collect();
    assert_eq!(trailers, ["request_trailers", "response_trailers"]);
}

/// The response may begin before the request's body has ended.
fn early_responses(kind: Kind) {
    let upstream = Upstream::new();
    let report = Case::new(kind, "").upstream(&upstream).run(|running| {
        let mut client = running.client();
        client.send_head(&POST);
        client.chunk("one");
        let (mut peer, _) = upstream.accept();
        assert_eq!(peer.read_chunk().as_deref(), Some("one"));
        peer.send_head(&["HTTP/1.1 200 OK", "transfer-encoding: chunked"]);
        peer.chunk("early");
        client.head();
        assert_eq!(client.read_chunk().as_deref(), Some("early"));
        client.chunk("two");
        assert_eq!(peer.read_chunk().as_deref(), Some("two"));
        client.chunk("");
        assert_eq!(peer.read_chunk(), None);
        peer.chunk("");
        assert_eq!(client.read_chunk(), None);
        running.wait_for("log", 1);
    });
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers",
            "request_body 3",
            "response_headers",
            "response_body 5",
            "request_body 3",
            "request_body 0 end",
            "response_body 0 end",
            "log"
        ]
    );
}

fn informational_responses_are_not_shown(kind: Kind) {
    let upstream = Upstream::new();
    let report = Case::new(kind, "").upstream(&upstream).run(|running| {
        let mut client = running.client_of_get();
        let (mut peer, _) = upstream.accept();
        peer.send_head(&["HTTP/1.1 103 Early Hints", "link: </a>"]);
        peer.send_no_content();
        let mut head = client.head();
        if head.starts_with("HTTP/1.1 103") {
            head = client.head();
        }
        assert!(head.starts_with("HTTP/1.1 204"), "{head}");
        running.wait_for("log", 1);
    });
    assert_eq!(
        report.stream_callbacks(),
        ["request_headers end", "response_headers end", "log"]
    );
}

fn the_response_path_is_the_reverse(kind: Kind) {
    let other = match kind {
        Kind::Legacy => Kind::Wit,
        Kind::Wit => Kind::Legacy,
    };
    let script = |name| {
        format!(
            "request_headers:
                add_header_map_value(0, 'x-order', '{name}')
            response_headers:
                add_header_map_value(2, 'x-order', '{name}')"
        )
    };
    let case = Case::new(kind, &script("a"))
        .and(other, &script("b"))
        .and(kind, &script("c"));
    case.run(|running| {
        let reply = running.get("/");
        assert_eq!(reply.echoed("x-order").join(" "), "a b c");
        assert_eq!(reply.header("x-order").as_deref(), Some("c, b, a"));
    });
}

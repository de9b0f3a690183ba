//! Streams that are held and go on again (ABI reference 6.2).

use proxy_wasi_test_support::Kind;

use super::{CHUNKED, nudge, resumed_by};
use crate::harness::{Case, Upstream, both_kinds};

both_kinds!(
    s6_2_pause_in_headers_holds_everything,
    s6_2_stop_iteration_keeps_bodies_coming,
    s6_2_continue_from_a_body_callback_releases_the_head,
    s6_2_pause_of_the_last_body_callback_is_resumed_without_another,
    s6_2_trailers_release_the_body,
    s6_2_paused_trailers,
    s6_2_response_side,
);

/// "Stop all": neither head nor body moves on, and the plugin sees no body. Resumed, it gets a body callback of its own
/// with all that has come.
fn s6_2_pause_in_headers_holds_everything(kind: Kind) {
    let upstream = Upstream::new();
    let script = format!(
        "request_headers@2#1:
            return(1)
        {}
        request_body@2#1:
            get_buffer_bytes(0, 0, 99, out) => 0 'onetwo'",
        resumed_by(3, 0)
    );
    let report = Case::new(kind, &script).upstream(&upstream).run(|running| {
        let mut client = running.client_of_post(11);
        client.send("one");
        client.send("two");
        running.wait_for("request_headers", 1);
        nudge(running);
        assert!(upstream.is_untouched());
        nudge(running);
        let (mut peer, _) = upstream.accept();
        assert_eq!(peer.read(6), "onetwo");
        client.send("three");
        assert_eq!(peer.read(5), "three");
        peer.send_no_content();
        client.head();
    });
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers",
            "request_body 6",
            "request_body 5 end",
            "response_headers end",
            "log"
        ]
    );
}

/// With `on_headers_pause: stop_iteration` the head is held and bodies come.
fn s6_2_stop_iteration_keeps_bodies_coming(kind: Kind) {
    let upstream = Upstream::new();
    let script = format!(
        "request_headers@2#1:
            return(1)
        {}
        request_body@2#1:
            get_buffer_bytes(0, 0, 9, out) => 0 'A'
            add_header_map_value(0, 'x-held', 'still') // the head can be edited as long as it is held
            return(1)
        request_body@2#2:
            get_buffer_bytes(0, 0, 9, out) => 0 'AB'
            return(1)",
        resumed_by(2, 0)
    );
    let report = Case::new(kind, &script)
        .plugin("on_headers_pause", "stop_iteration")
        .upstream(&upstream)
        .run(|running| {
            let mut client = running.client_of_post(2);
            client.send("A");
            running.wait_for("request_body", 1);
            client.send("B");
            running.wait_for("request_body", 2);
            assert!(upstream.is_untouched());
            nudge(running);
            let (mut peer, head) = upstream.accept();
            assert!(head.contains("x-held: still"), "{head}");
            assert_eq!(peer.read(2), "AB");
            peer.send_no_content();
            client.head();
        });
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers",
            "request_body 1",
            "request_body 2 end",
            "response_headers end",
            "log"
        ]
    );
}

fn s6_2_continue_from_a_body_callback_releases_the_head(kind: Kind) {
    let upstream = Upstream::new();
    let script = "request_headers:
            return(1)
        request_body@2#1:
            return(1)
        request_body@2#2:
            return(0)";
    Case::new(kind, script)
        .plugin("on_headers_pause", "stop_iteration")
        .upstream(&upstream)
        .run(|running| {
            let mut client = running.client_of_post(2);
            client.send("A");
            running.wait_for("request_body", 1);
            assert!(upstream.is_untouched());
            client.send("B");
            let (mut peer, _) = upstream.accept();
            assert_eq!(peer.read(2), "AB");
            peer.send_no_content();
            client.head();
        });
}

/// The whole goes to the next plugin; this one is not called again for it.
fn s6_2_pause_of_the_last_body_callback_is_resumed_without_another(kind: Kind) {
    let upstream = Upstream::new();
    let script = format!(
        "request_headers@2#1:
            return(0)
        request_body@2:
            return(1)
        {}",
        resumed_by(2, 0)
    );
    let report = Case::new(kind, &script)
        .and(kind, "")
        .upstream(&upstream)
        .run(|running| {
            let mut client = running.client_of_post(4);
            client.send("body");
            running.wait_for("request_body", 1);
            nudge(running);
            let (mut peer, _) = upstream.accept();
            assert_eq!(peer.read(4), "body");
            peer.send_no_content();
            client.head();
        });
    assert_eq!(
        report.stream_callbacks()[..2],
        ["request_headers", "request_body 4 end"]
    );
    assert_eq!(report.stream_callbacks().len(), 4);
    assert_eq!(
        report.stream_callbacks_of("1", 2)[..2],
        ["request_headers", "request_body 4 end"]
    );
}

fn s6_2_trailers_release_the_body(kind: Kind) {
    let upstream = Upstream::new();
    let script = "request_body:
            return(1)
        request_trailers:
            get_buffer_bytes(0, 0, 9, out) => 0 'AB'
            get_header_map_value(1, 'x-trailer', out) => 0 '1'
            add_header_map_value(1, 'x-added', '2')
            return(0)";
    let report = Case::new(kind, script).upstream(&upstream).run(|running| {
        let mut client = running.client();
        client.send_head(&CHUNKED);
        client.chunk("A");
        running.wait_for("request_body", 1);
        client.chunk("B");
        running.wait_for("request_body", 2);
        client.trailers(&["x-trailer: 1"]);
        let (mut peer, _) = upstream.accept();
        let (body, trailers) = peer.chunked_body();
        assert_eq!(body, "AB");
        assert!(trailers.contains("x-added: 2"), "{trailers}");
        peer.send_no_content();
        client.head();
    });
    assert_eq!(
        report.stream_callbacks()[..4],
        [
            "request_headers",
            "request_body 1",
            "request_body 2",
            "request_trailers"
        ]
    );
}

fn s6_2_paused_trailers(kind: Kind) {
    let upstream = Upstream::new();
    let script = format!(
        "request_headers@2#1:
            return(0)
        request_trailers:
            return(1)
        {}",
        resumed_by(2, 0)
    );
    Case::new(kind, &script).upstream(&upstream).run(|running| {
        let mut client = running.client();
        client.send_head(&CHUNKED);
        client.chunk("body");
        client.trailers(&["x-trailer: 1"]);
        let (mut peer, _) = upstream.accept();
        assert_eq!(peer.read_chunk().as_deref(), Some("body"));
        running.wait_for("request_trailers", 1);
        nudge(running);
        assert_eq!(peer.read_chunk(), None);
        assert_eq!(peer.head().trim(), "x-trailer: 1");
        peer.send_no_content();
        client.head();
    });
}

fn s6_2_response_side(kind: Kind) {
    let upstream = Upstream::new();
    let script = format!(
        "request_headers@2#1:
            return(0)
        {}
        response_headers@2#1:
            add_header_map_value(2, 'x-held', '1')
            return(1)
        response_body@2#1:
            get_buffer_bytes(1, 0, 99, out) => 0 'onetwo'
            return(1)
        response_body@2#2:
            get_buffer_bytes(1, 0, 99, out) => 0 'onetwothree'",
        resumed_by(3, 1)
    );
    let report = Case::new(kind, &script).upstream(&upstream).run(|running| {
        let mut client = running.client_of_get();
        let (mut peer, _) = upstream.accept();
        peer.send_head(&["HTTP/1.1 200 OK", "content-length: 11"]);
        peer.send("onetwo");
        running.wait_for("response_headers", 1);
        nudge(running);
        nudge(running);
        assert!(client.head().contains("x-held: 1"));
        running.wait_for("response_body", 1);
        peer.send("three");
        assert_eq!(client.read(11), "onetwothree");
        running.wait_for("log", 3);
    });
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers end",
            "response_headers",
            "response_body 6",
            "response_body 11 end",
            "log"
        ]
    );
}

//! Held bodies: what is shown of them, how far they grow, and their length (ABI reference 6.3).

use proxy_wasi_test_support::Kind;

use super::{nudge, resumed_by};
use crate::harness::{Case, Upstream, both_kinds};

both_kinds!(
    s6_3_body_views,
    s6_3_edits_of_a_held_body_stay,
    s6_3_a_request_that_outgrows_the_buffer_is_413,
    s6_3_a_response_that_outgrows_the_buffer_is_500,
    s6_3_a_request_that_a_plugin_makes_too_large,
    s6_3_a_response_that_a_plugin_makes_too_large,
    s6_3_content_length_is_kept_true_while_the_head_is_held,
    s6_3_a_request_length_that_changes_later_is_answered,
    s6_3_a_length_of_0_is_not_taken_for_a_body,
    s6_3_a_length_that_changes_later_is_an_error,
);

/// The worked example of the reference: chunks A, B and C, and what is returned for each.
fn s6_3_body_views(kind: Kind) {
    // Results, what each callback shows, what the upstream has after each, and whether the end must be resumed.
    type Row = ([u32; 3], [&'static str; 3], [&'static str; 3]);
    let rows: [Row; 5] = [
        ([0, 0, 0], ["A", "B", "C"], ["A", "B", "C"]),
        ([1, 1, 0], ["A", "AB", "ABC"], ["", "", "ABC"]),
        ([1, 0, 0], ["A", "AB", "C"], ["", "AB", "C"]),
        ([1, 0, 1], ["A", "AB", "C"], ["", "AB", ""]),
        ([2, 2, 0], ["A", "B", "C"], ["", "", "ABC"]),
    ];
    for (results, shown, forwarded) in rows {
        let mut script = format!("request_headers@2#1:\n return(0)\n{}", resumed_by(2, 0));
        for (at, (result, shown)) in results.iter().zip(shown).enumerate() {
            script.push_str(&format!(
                "request_body@2#{}:
                    get_buffer_bytes(0, 0, -1, out) => 0 '{shown}'
                    return({result})\n",
                at + 1
            ));
        }
        let upstream = Upstream::new();
        let case = Case::new(kind, &script).upstream(&upstream);
        let report = case.start_and(|running| {
            let mut client = running.client_of_post(3);
            let (mut peer, _) = upstream.accept();
            for (at, chunk) in ["A", "B", "C"].into_iter().enumerate() {
                client.send(chunk);
                running.wait_for("request_body", at + 1);
                assert_eq!(peer.read(forwarded[at].len()), forwarded[at]);
            }
            if forwarded.concat().len() < 3 {
                nudge(running);
                assert_eq!(peer.read(1), "C");
            }
            peer.send_no_content();
            client.head();
            running.wait_for("log", 1);
        });
        let sizes: Vec<_> = report
            .stream_callbacks()
            .into_iter()
            .filter(|text| text.starts_with("request_body"))
            .collect();
        let expected = shown.map(|shown| format!("request_body {}", shown.len()));
        assert_eq!(
            sizes,
            [
                expected[0].clone(),
                expected[1].clone(),
                format!("{} end", expected[2])
            ]
        );
    }
}

fn s6_3_edits_of_a_held_body_stay(kind: Kind) {
    let upstream = Upstream::new();
    let script = "request_headers:
            remove_header_map_value(0, 'content-length')
        request_body@2#1:
            set_buffer_bytes(0, 0, 1, 'edited')
            return(1)
        request_body@2#2:
            get_buffer_bytes(0, 0, 99, out) => 0 'editedB'
            get_buffer_bytes(0, 6, 1, out) => 0 'B'
            set_buffer_bytes(0, 0, 0, '>')";
    let report = Case::new(kind, script).upstream(&upstream).run(|running| {
        let mut client = running.client_of_post(2);
        client.send("A");
        running.wait_for("request_body", 1);
        client.send("B");
        let (mut peer, _) = upstream.accept();
        assert_eq!(peer.chunked_body().0, ">editedB");
        peer.send_no_content();
        client.head();
    });
    assert_eq!(
        report.stream_callbacks()[1..3],
        ["request_body 1", "request_body 7 end"]
    );
}

fn s6_3_a_request_that_outgrows_the_buffer_is_413(kind: Kind) {
    let report = Case::new(kind, "request_body:\n return(1)")
        .config("limits", serde_json::json!({ "request_buffer": 1000 }))
        .run(|running| assert_eq!(running.post(&"x".repeat(5000)).status, 413));
    assert_eq!(
        report.stream_callbacks().last().map(String::as_str),
        Some("log")
    );
}

fn s6_3_a_response_that_outgrows_the_buffer_is_500(kind: Kind) {
    for (script, status) in [
        (
            "response_headers:\n return(1)\nresponse_body:\n return(1)",
            Some(500),
        ),
        ("response_body:\n return(1)", None),
    ] {
        let upstream = Upstream::new();
        Case::new(kind, script)
            .plugin("on_headers_pause", "stop_iteration")
            .config("limits", serde_json::json!({ "response_buffer": 1000 }))
            .upstream(&upstream)
            .run(|running| {
                let mut client = running.client_of_get();
                let (mut peer, _) = upstream.accept();
                peer.send_head(&["HTTP/1.1 200 OK", "content-length: 5000"]);
                if status.is_none() {
                    assert!(client.head().starts_with("HTTP/1.1 200"));
                }
                peer.send(&"x".repeat(5000));
                match status {
                    Some(status) => {
                        let head = client.head();
                        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
                    }
                    // The head has gone: the client learns that the body is cut.
                    None => assert!(client.rest().len() < 5000),
                }
                running.wait_for("log", 1);
            });
    }
}

/// In Envoy the plugin must see to it.
fn s6_3_content_length_is_kept_true_while_the_head_is_held(kind: Kind) {
    let script = "request_headers:
            return(1)
        request_body:
            set_buffer_bytes(0, 0, 0x7fffffff, 'longer than it was')";
    Case::new(kind, script)
        .plugin("on_headers_pause", "stop_iteration")
        .run(|running| {
            let reply = running.post("body");
            assert_eq!(reply.echo()["body"]["text"], "longer than it was");
            assert_eq!(reply.echoed("content-length"), ["18"]);
        });
}

/// Never a message that is short or long in silence.
fn s6_3_a_length_that_changes_later_is_an_error(kind: Kind) {
    let upstream = Upstream::new();
    let script = "response_body:\n set_buffer_bytes(1, 0, 0x7fffffff, 'longer than it was')";
    let report = Case::new(kind, script).upstream(&upstream).run(|running| {
        running.get_is_cut_off_behind_the_head(&upstream);
        running.wait_for("log", 1);
    });
    assert!(report.log.contains("plugin-0"), "{}", report.log);
    assert!(report.log.contains("content-length"), "{}", report.log);
}

/// Before a response has begun, the client is told.
fn s6_3_a_request_length_that_changes_later_is_answered(kind: Kind) {
    let upstream = Upstream::new();
    let script = "request_body:\n set_buffer_bytes(0, 0, 0x7fffffff, 'longer than it was')";
    let report = Case::new(kind, script).upstream(&upstream).run(|running| {
        let mut client = running.client_of_post(4);
        let (mut peer, head) = upstream.accept();
        assert!(head.contains("content-length: 4"), "{head}");
        client.send("body");
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 500"), "{head}");
        assert!(peer.rest().len() < 4);
        running.wait_for("log", 1);
    });
    assert!(report.log.contains("plugin-0"), "{}", report.log);
    assert!(report.log.contains("content-length"), "{}", report.log);
}

/// A body behind it would be lost in silence.
fn s6_3_a_length_of_0_is_not_taken_for_a_body(kind: Kind) {
    let script = "request_headers:\n replace_header_map_value(0, 'content-length', '0') => 0";
    Case::new(kind, script).run(|running| {
        let reply = running.post("body");
        assert_eq!(reply.echo()["body"]["text"], "body");
        assert_eq!(reply.echoed("content-length"), [""; 0]);
    });
}

/// An edit that fails makes SDKs panic: the stream ends instead, not the VM. A component is told.
fn s6_3_a_request_that_a_plugin_makes_too_large(kind: Kind) {
    let script = "request_body:
            set_buffer_bytes(0, 4, 0, 'and more') => 0 | too-large
            legacy set_buffer_bytes(0, 0, 0, 'and more') => 0
            get_buffer_bytes(0, 0, 99, out) => 0 'body'";
    Case::new(kind, script)
        .config("limits", serde_json::json!({ "request_buffer": 10 }))
        .run(|running| {
            let status = running.post("body").status;
            assert_eq!(status, if kind == Kind::Legacy { 413 } else { 200 });
        });
}

fn s6_3_a_response_that_a_plugin_makes_too_large(kind: Kind) {
    let script = "response_headers:
            return(1)
        response_body:
            set_buffer_bytes(1, 4, 0, 'and more') => 0 | too-large";
    let upstream = Upstream::new();
    Case::new(kind, script)
        .plugin("on_headers_pause", "stop_iteration")
        .config("limits", serde_json::json!({ "response_buffer": 10 }))
        .upstream(&upstream)
        .run(|running| {
            let mut client = running.client_of_get();
            let (mut peer, _) = upstream.accept();
            peer.answer("body");
            let head = client.head();
            let status = if kind == Kind::Legacy { 500 } else { 200 };
            assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        });
}

//! What callbacks return (ABI reference 2.3, 6.2, 6.3).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Running, Upstream, both_kinds};

both_kinds!(
    s2_3_headers_results,
    s2_3_data_results,
    s2_3_trailers_results,
    s6_2_pause_in_headers_holds_everything,
    s6_2_stop_iteration_keeps_bodies_coming,
    s6_2_continue_from_a_body_callback_releases_the_head,
    s6_2_pause_of_the_last_body_callback_is_resumed_without_another,
    s6_2_trailers_release_the_body,
    s6_2_paused_trailers,
    s6_2_response_side,
    s6_3_body_views,
    s6_3_edits_of_a_held_body_stay,
    s6_3_a_request_that_outgrows_the_buffer_is_413,
    s6_3_a_response_that_outgrows_the_buffer_is_500,
    s6_3_content_length_is_kept_true_while_the_head_is_held,
    s6_3_a_length_that_changes_later_is_an_error,
);

/// Requests behind the first stream: the last of so many resumes that one. They are answered at once.
fn resumed_by(last: u32, of: u32) -> String {
    let answer = "send_local_response(200, '', 'nudged', '', -1)
            return(1)";
    let mut script = String::new();
    for context in 3..last + 2 {
        script.push_str(&format!(
            "request_headers@{context}:
                {}
                {answer}\n",
            if context == last + 1 {
                format!(
                    "set_effective_context(2)
                    continue_stream({of})
                    set_effective_context({context})"
                )
            } else {
                String::new()
            }
        ));
    }
    script
}

/// Another request, on a connection of its own: what was sent before it has arrived.
fn nudge(running: &Running) {
    assert_eq!(running.get("/nudge").text(), "nudged");
}

/// Both headers and body results: a number that is none pauses.
fn s2_3_headers_results(kind: Kind) {
    for (result, holds) in [
        (0, false),
        (1, true),
        (2, false),
        (3, true),
        (4, true),
        (5, true),
        (-1, true),
    ] {
        let script = format!(
            "request_headers@2#1:\n return({result})\n{}",
            resumed_by(3, 0)
        );
        let upstream = Upstream::new();
        Case::new(kind, &script)
            .upstream(&upstream)
            .start_and(|running| {
                let mut client = running.client_of_get();
                running.wait_for("request_headers", 1);
                nudge(running);
                assert_eq!(upstream.is_untouched(), holds, "{result}");
                if holds {
                    nudge(running);
                    let (mut peer, _) = upstream.accept();
                    peer.send_no_content();
                    assert!(client.head().starts_with("HTTP/1.1 204"));
                }
            });
    }
}

fn s2_3_data_results(kind: Kind) {
    // What the next callback shows, and what reaches the upstream.
    for (result, next, forwarded) in [
        (0, "B", "AB"),
        (1, "AB", "AB"),
        (2, "B", "AB"),
        (3, "B", "B"),
        (4, "B", "B"),
        (-1, "B", "B"),
    ] {
        let script = format!(
            "request_headers:
                remove_header_map_value(0, 'content-length')
            request_body@2#1:
                get_buffer_bytes(0, 0, 9, out) => 0 'A'
                return({result})
            request_body@2#2:
                get_buffer_bytes(0, 0, 9, out) => 0 '{next}'"
        );
        let upstream = Upstream::new();
        Case::new(kind, &script).upstream(&upstream).run(|running| {
            let mut client = running.client_of_post(2);
            client.send("A");
            running.wait_for("request_body", 1);
            client.send("B");
            let (mut peer, _) = upstream.accept();
            assert_eq!(peer.chunked_body().0, forwarded, "{result}");
            peer.send_no_content();
            client.head();
        });
    }
}

fn s2_3_trailers_results(kind: Kind) {
    for (result, holds) in [(0, false), (1, true), (2, true), (-1, true)] {
        let script = format!(
            "request_trailers:
                return({result})
            {}",
            resumed_by(3, 0)
        );
        let upstream = Upstream::new();
        let case = Case::new(kind, &script).upstream(&upstream);
        case.start_and(|running| {
            let mut client = running.client();
            client.send_head(&CHUNKED);
            client.trailers(&["x-trailer: 1"]);
            let (mut peer, _) = upstream.accept();
            running.wait_for("request_trailers", 1);
            nudge(running);
            if holds {
                assert!(peer.is_silent(), "{result}");
                nudge(running);
            }
            let (body, trailers) = peer.chunked_body();
            assert_eq!((body.as_str(), trailers.trim()), ("", "x-trailer: 1"));
            peer.send_no_content();
            client.head();
        });
    }
}

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

const CHUNKED: [&str; 5] = [
    "POST / HTTP/1.1",
    "host: a",
    "transfer-encoding: chunked",
    "te: trailers",
    "trailer: x-trailer, x-added",
];

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

//! Answers to HTTP callouts (ABI reference 6.5, 6.6).

use proxy_wasi_test_support::Kind;

use crate::harness::{CALL, Case, Running, Upstream, both_kinds};

both_kinds!(
    an_answer_is_read_in_its_callback,
    an_answer_of_any_status_is_a_success,
    an_answer_resumes_the_stream,
    an_answer_denies_the_stream,
    a_local_response_needs_the_stream,
    answers_come_once_in_any_order,
    a_held_body_is_read_and_edited_from_an_answer,
    a_held_response_is_edited_from_an_answer,
    what_an_answer_asks_for_waits_for_its_end,
    several_plugins_of_a_vm_get_their_own_answers,
    a_queue_callback_calls,
);

/// A GET that a plugin holds until its callout is answered, and what reaches the upstream then.
fn get_resumed(running: &Running, auth: &Upstream, upstream: &Upstream) -> String {
    let mut client = running.client_of_get();
    running.wait_for("request_headers", 1);
    assert!(upstream.is_untouched());
    auth.answer();
    let (mut peer, head) = upstream.accept();
    peer.send_no_content();
    assert!(client.head().starts_with("HTTP/1.1 204"));
    head
}

fn an_answer_is_read_in_its_callback(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "request_headers:
            {CALL}
            legacy get_header_map_value(6, ':status', out) => 2
            get_buffer_bytes(4, 0, 99, out) => 1 | unavailable
            return(1)
        http_call_response:
            get_header_map_value(6, ':status', out) => 0 '200'
            get_header_map_value(6, 'x-up', out) => 0 '1'
            get_header_map_value(6, 'x-none', out) => 1 | none
            legacy get_header_map_value(7, 'x-t', out) => 0 '2'
            legacy get_header_map_pairs(7, out) => 0 pairs('x-t' '2')
            get_buffer_bytes(4, 0, 99, out) => 0 'answer'
            get_buffer_bytes(4, 2, 2, out) => 0 'sw'
            legacy get_buffer_status(4, u32, u32) => 0 6 0
            legacy add_header_map_value(6, 'x', 'y') => 2
            legacy replace_header_map_value(6, 'x', 'y') => 2
            legacy remove_header_map_value(6, 'x') => 2
            legacy set_header_map_pairs(6, pairs('x' 'y')) => 2
            legacy get_header_map_size(6, u32) => 2
            legacy set_buffer_bytes(4, 0, 0, 'x') => 2
            set_effective_context(2) // from there too
            get_header_map_value(6, ':status', out) => 0 '200'
            get_buffer_bytes(4, 0, 99, out) => 0 'answer'
            continue_stream(0)
        response_headers:
            legacy get_header_map_value(6, ':status', out) => 2
            legacy get_header_map_pairs(6, out) => 0 null
            get_buffer_bytes(4, 0, 99, out) => 1 | unavailable"
    );
    let report = Case::calling(kind, &script, &auth).run(|running| {
        let mut client = running.client_of_get();
        let (mut peer, _) = auth.accept();
        peer.send_head(&[
            "HTTP/1.1 200 OK",
            "transfer-encoding: chunked",
            "x-up: 1",
            "trailer: x-t",
        ]);
        peer.chunk("ans");
        peer.chunk("wer");
        peer.trailers(&["x-t: 2"]);
        assert!(client.head().starts_with("HTTP/1.1 200"));
        running.wait_for("log", 1);
    });
    if kind == Kind::Legacy {
        let answers = report.callbacks_like("0", "http_call_response");
        // Root, token, entries with `:status`, bytes, trailers.
        let words: Vec<_> = answers[0].split(' ').collect();
        assert_eq!(words[1..3], ["1", "4"]);
        assert!(words[3].parse::<u32>().unwrap() >= 2, "{words:?}");
        assert_eq!(words[4..], ["6", "1"]);
    }
}

fn an_answer_of_any_status_is_a_success(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            {CALL}
        http_call_response:
            get_header_map_value(6, ':status', out) => 0 '500'
            get_buffer_bytes(4, 0, 99, out) => 0 'no'"
    );
    Case::calling(kind, &script, &auth).run(|running| {
        let (mut peer, _) = auth.accept();
        peer.send_head(&["HTTP/1.1 500 Internal Server Error", "content-length: 2"]);
        peer.send("no");
        running.wait_for("http_call_response", 1);
    });
}

/// What is edited before the request is continued counts.
fn an_answer_resumes_the_stream(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "request_headers:
            {CALL}
            return(1)
        http_call_response:
            legacy get_header_map_value(0, ':path', out) => 2 // of the root
            set_effective_context(2)
            get_header_map_value(0, ':path', out) => 0 '/'
            add_header_map_value(0, 'x-user', 'me') => 0
            continue_stream(0) => 0"
    );
    let upstream = Upstream::new();
    Case::calling(kind, &script, &auth)
        .upstream(&upstream)
        .run(|running| {
            let head = get_resumed(running, &auth, &upstream);
            assert!(head.contains("x-user: me"), "{head}");
        });
}

fn an_answer_denies_the_stream(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "request_headers:
            {CALL}
            return(1)
        http_call_response:
            set_effective_context(2)
            send_local_response(403, '', 'denied', '', -1) => 0"
    );
    let upstream = Upstream::new();
    let report = Case::calling(kind, &script, &auth)
        .upstream(&upstream)
        .run(|running| {
            let mut client = running.client_of_get();
            auth.answer();
            assert!(client.head().starts_with("HTTP/1.1 403"));
            assert_eq!(client.read(6), "denied");
            running.wait_for("log", 1);
        });
    assert!(upstream.is_untouched());
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers end",
            "response_headers",
            "response_body 6 end",
            "log"
        ]
    );
}

/// The running context is the root.
fn a_local_response_needs_the_stream(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "request_headers:
            {CALL}
            return(1)
        http_call_response:
            legacy send_local_response(403, '', 'denied', '', -1) => 0
            legacy continue_stream(0) => 0
            wit send_local_response(403, '', 'denied', '', -1) => unknown-stream
            set_effective_context(2)
            continue_stream(0) => 0"
    );
    let upstream = Upstream::new();
    Case::calling(kind, &script, &auth)
        .upstream(&upstream)
        .run(|running| {
            get_resumed(running, &auth, &upstream);
        });
}

/// Never before the callback that made the call has ended.
fn answers_come_once_in_any_order(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            {CALL}
            {CALL}
            {CALL}"
    );
    let report = Case::calling(kind, &script, &auth).run(|running| {
        let mut peers: Vec<_> = (0..3).map(|_| auth.accept().0).collect();
        while let Some(mut peer) = peers.pop() {
            peer.answer("ok");
            running.wait_for("http_call_response", 3 - peers.len());
        }
    });
    let answers = report.callbacks_like("0", "http_call_response");
    assert_eq!(answers.len(), 3, "{answers:?}");
    if kind == Kind::Legacy {
        for token in ["4", "8", "12"] {
            let of_token = report.callbacks_like("0", &format!("http_call_response 1 {token} "));
            assert_eq!(of_token.len(), 1, "{answers:?}");
        }
    }
}

/// The body is held as a whole while somebody is asked about it.
fn a_held_body_is_read_and_edited_from_an_answer(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "request_headers:
            remove_header_map_value(0, 'content-length')
        request_body:
            {CALL}
            return(1)
        http_call_response:
            legacy get_buffer_bytes(0, 0, 99, out) => 0 null // of the root
            set_effective_context(2)
            get_buffer_bytes(0, 0, 99, out) => 0 'body'
            set_buffer_bytes(0, 4, 0, ', checked') => 0
            get_buffer_bytes(0, 0, 99, out) => 0 'body, checked'
            continue_stream(0)"
    );
    let upstream = Upstream::new();
    let report = Case::calling(kind, &script, &auth)
        .upstream(&upstream)
        .run(|running| {
            let mut client = running.client_of_post(4);
            client.send("body");
            auth.answer();
            let (mut peer, _) = upstream.accept();
            assert_eq!(peer.chunked_body().0, "body, checked");
            peer.send_no_content();
            client.head();
            running.wait_for("log", 1);
        });
    // Not called again for what it has released.
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers",
            "request_body 4 end",
            "response_headers end",
            "log"
        ]
    );
}

fn a_held_response_is_edited_from_an_answer(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "response_headers:
            {CALL}
            return(1)
        http_call_response:
            set_effective_context(2)
            get_header_map_value(2, ':status', out) => 0 '200'
            replace_header_map_value(2, ':status', '202') => 0
            add_header_map_value(2, 'x-checked', '1') => 0
            legacy add_header_map_value(0, 'x-late', '1') => 2
            continue_stream(1)
        response_body:
            get_buffer_bytes(1, 0, 99, out) => 0 'answer'"
    );
    let upstream = Upstream::new();
    Case::calling(kind, &script, &auth)
        .upstream(&upstream)
        .run(|running| {
            let mut client = running.client_of_get();
            let (mut peer, _) = upstream.accept();
            peer.answer("answer");
            auth.answer();
            let head = client.head();
            assert!(
                head.starts_with("HTTP/1.1 202") && head.contains("x-checked: 1"),
                "{head}"
            );
            assert_eq!(client.read(6), "answer");
        });
}

/// ABI reference 4.1: whatever it is, the maps are there until the callback has returned.
fn what_an_answer_asks_for_waits_for_its_end(kind: Kind) {
    for (asked, status) in [
        ("continue_stream(1)", "200"),
        ("send_local_response(403, '', 'denied', '', -1)", "403"),
        ("close_stream(1)", ""),
    ] {
        let auth = Upstream::new();
        let script = format!(
            "response_headers:
                {CALL}
                return(1)
            http_call_response:
                set_effective_context(2)
                {asked} => 0
                get_header_map_value(2, ':status', out) => 0 '200'
                replace_header_map_value(2, 'x-after', '1') => 0"
        );
        let upstream = Upstream::new();
        Case::calling(kind, &script, &auth)
            .upstream(&upstream)
            .run(|running| {
                let mut client = running.client_of_get();
                let (mut peer, _) = upstream.accept();
                peer.answer("answer");
                auth.answer();
                if status.is_empty() {
                    assert_eq!(client.rest(), "");
                } else {
                    let head = client.head();
                    assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
                    let edited = head.contains("x-after: 1");
                    assert_eq!(edited, status == "200", "{head}");
                }
                running.wait_for("log", 1);
            });
    }
}

/// Roots of one VM: each gets its own.
fn several_plugins_of_a_vm_get_their_own_answers(kind: Kind) {
    let auth = Upstream::new();
    let script = format!("configure:\n {CALL}");
    let report = Case::calling(kind, &script, &auth)
        .plugin("vm_id", "shared")
        .and(kind, &script)
        .plugin("vm_id", "shared")
        .run(|running| {
            for _ in 0..2 {
                auth.answer();
            }
            running.wait_for_plugin("0", "http_call_response", 1);
            running.wait_for_plugin("1", "http_call_response", 1);
        });
    for (tag, root) in [("0", "1"), ("1", "2")] {
        let answers = report.callbacks_like(tag, &format!("http_call_response {root} "));
        assert_eq!(answers.len(), 1, "{:?}", report.callbacks(tag));
    }
}

fn a_queue_callback_calls(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            register_shared_queue('queue', u32>queue)
        request_headers:
            enqueue_shared_queue($queue, 'item')
        queue_ready#1:
            dequeue_shared_queue($queue, out) => 0 'item'
            {CALL}
        http_call_response:
            get_header_map_value(6, ':status', out) => 0 '200'
            get_buffer_bytes(4, 0, 99, out) => 0 'ok'"
    );
    Case::calling(kind, &script, &auth).run(|running| {
        running.get("/");
        auth.answer();
        running.wait_for("http_call_response", 1);
    });
}

//! What becomes of a local response, by when it is sent (ABI reference 6.4).

use proxy_wasi_test_support::Kind;

use crate::harness::{CALL, Case, Upstream, both_kinds};

both_kinds!(
    a_local_response_runs_the_plugins_own_response_callbacks,
    from_a_later_plugin_it_passes_all_that_saw_the_request,
    from_a_request_body_callback,
    from_a_request_body_callback_and_then_held,
    while_it_is_held_a_client_that_leaves_is_noticed,
    from_response_headers_it_takes_the_responses_place,
    from_a_response_body_callback_while_the_head_is_held,
    from_a_response_body_callback_after_the_head_it_resets,
    in_the_log_callback_nothing_happens,
);

const DENY: &str = "send_local_response(403, '', 'no', pairs('x-mine' '1'), -1) => 0";

fn a_local_response_runs_the_plugins_own_response_callbacks(kind: Kind) {
    let upstream = Upstream::new();
    let script = format!(
        "request_headers:
            {DENY}
            return(1)
        response_headers:
            get_header_map_value(2, ':status', out) => 0 '403'
            get_header_map_value(2, 'x-mine', out) => 0 '1'
            get_header_map_value(2, 'content-length', out) => 0 '2'
            add_header_map_value(2, 'x-seen', '1')
        response_body:
            get_buffer_bytes(1, 0, 9, out) => 0 'no'"
    );
    let report = Case::new(kind, &script).upstream(&upstream).run(|running| {
        let reply = running.post("body");
        assert_eq!((reply.status.as_u16(), reply.text()), (403, "no"));
        assert_eq!(reply.header("x-seen").as_deref(), Some("1"));
    });
    assert!(upstream.is_untouched());
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers",
            "response_headers",
            "response_body 2 end",
            "log"
        ]
    );
}

fn from_a_later_plugin_it_passes_all_that_saw_the_request(kind: Kind) {
    let deny = format!("request_headers:\n {DENY}\n return(1)");
    let case = Case::new(kind, "").and(kind, &deny).and(kind, "");
    let report = case.run(|running| assert_eq!(running.get("/").status, 403));
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers end",
            "response_headers",
            "response_body 2 end",
            "log"
        ]
    );
    assert_eq!(
        report.stream_callbacks_of("1", 2),
        [
            "request_headers end",
            "response_headers",
            "response_body 2 end",
            "log"
        ]
    );
    // The last one never saw the request, and hears of its end all the same.
    assert_eq!(report.stream_callbacks_of("2", 2), ["log"]);
    if kind == Kind::Legacy {
        let last = report.callbacks("2");
        let at = last
            .iter()
            .position(|text| text == "context_create 2 1")
            .unwrap();
        assert_eq!(last[at + 1..at + 4], ["log 2", "done 2", "delete 2"]);
    }
}

fn from_a_request_body_callback(kind: Kind) {
    let script = format!("request_body:\n {DENY}\n return(1)");
    let upstream = Upstream::new();
    let report = Case::new(kind, &script).upstream(&upstream).run(|running| {
        let mut client = running.client_of_post(9);
        client.send("body");
        assert!(client.head().starts_with("HTTP/1.1 403"));
        running.wait_for("log", 1);
    });
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers",
            "request_body 4",
            "response_headers",
            "response_body 2 end",
            "log"
        ]
    );
}

/// The request was on its way upstream and is cut off: that is no failure of the upstream, which would answer instead.
fn from_a_request_body_callback_and_then_held(kind: Kind) {
    let script = format!(
        "request_body:
            {DENY}
            return(1)
        response_headers:
            {CALL}
            return(1)
        http_call_response:
            set_effective_context(2)
            add_header_map_value(2, 'x-seen', '1')
            continue_stream(1)"
    );
    let (auth, upstream) = (Upstream::new(), Upstream::new());
    let case = Case::calling(kind, &script, &auth).upstream(&upstream);
    let report = case.run(|running| {
        let mut client = running.client_of_post(9);
        let (mut peer, _) = upstream.accept();
        client.send("body");
        // Only now has the proxy dropped the request.
        assert_eq!(peer.rest(), "");
        auth.answer();
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
        assert!(head.contains("\r\nx-seen: 1"), "{head}");
        running.wait_for("log", 1);
    });
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers",
            "request_body 4",
            "response_headers",
            "response_body 2 end",
            "log"
        ]
    );
}

/// Also if it had more to send, which nobody wants any more.
fn while_it_is_held_a_client_that_leaves_is_noticed(kind: Kind) {
    let script = format!("request_body:\n {DENY}\n return(1)\nresponse_headers:\n return(1)");
    let upstream = Upstream::new();
    Case::new(kind, &script).upstream(&upstream).run(|running| {
        let mut client = running.client_of_post(9);
        client.send("body");
        running.wait_for("response_headers", 1);
        client.close();
        running.wait_for("log", 1);
    });
}

/// It is sent at once: no plugin sees it, and this one sees nothing more of the upstream's.
fn from_response_headers_it_takes_the_responses_place(kind: Kind) {
    let script = format!("response_headers:\n {DENY}\n return(1)");
    let report = Case::new(kind, "").and(kind, &script).run(|running| {
        let reply = running.get("/");
        assert_eq!((reply.status.as_u16(), reply.text()), (403, "no"));
        assert_eq!(reply.header("x-mine").as_deref(), Some("1"));
    });
    assert_eq!(
        report.stream_callbacks_of("1", 2),
        ["request_headers end", "response_headers", "log"]
    );
    assert_eq!(report.stream_callbacks(), ["request_headers end", "log"]);
}

fn from_a_response_body_callback_while_the_head_is_held(kind: Kind) {
    let script = format!("response_headers:\n return(1)\nresponse_body:\n {DENY}\n return(1)");
    let report = Case::new(kind, &script)
        .plugin("on_headers_pause", "stop_iteration")
        .run(|running| {
            let reply = running.get("/");
            assert_eq!((reply.status.as_u16(), reply.text()), (403, "no"));
        });
    let callbacks = report.stream_callbacks();
    assert_eq!(callbacks.len(), 4, "{callbacks:?}");
}

fn from_a_response_body_callback_after_the_head_it_resets(kind: Kind) {
    let script = format!("response_body:\n {DENY}\n return(1)");
    let upstream = Upstream::new();
    let case = Case::new(kind, &script).upstream(&upstream);
    case.run(|running| running.get_is_cut_off_behind_the_head(&upstream));
}

fn in_the_log_callback_nothing_happens(kind: Kind) {
    let script = "log:\n legacy send_local_response(403, '', 'no', '', -1) => 0\n wit send_local_response(403, '', 'no', '', -1) => *";
    Case::new(kind, script).run(|running| assert_eq!(running.get("/").status, 200));
}

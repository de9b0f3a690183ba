//! Stream control (ABI reference 4.7).

use proxy_wasi_test_support::Kind;

use crate::harness::{CALL, Case, Module, Upstream, both_kinds};

both_kinds!(
    close_stream_resets,
    close_stream_resets_a_response_that_goes_past_the_plugin,
    resume_of_what_is_not_paused_does_nothing,
    writes_after_continue_stream,
);

#[test]
fn statuses() {
    let script = "configure:
            continue_stream(0) => 0
            continue_stream(1) => 0
            continue_stream(2) => 0
            continue_stream(3) => 12
            continue_stream(4) => 2
            continue_stream(-1) => 2
            close_stream(0) => 0
            close_stream(1) => 0
            close_stream(2) => 0
            close_stream(3) => 0
            close_stream(4) => 2
            continue_request() => 0
            continue_response() => 0
            clear_route_cache() => 0
        request_headers:
            continue_stream(2) => 0
            continue_stream(3) => 12
            continue_stream(4) => 2
            close_stream(2) => 0
            close_stream(3) => 0
            close_stream(4) => 2
            clear_route_cache() => 0";
    Case::legacy(script).run(|running| assert_eq!(running.get("/").status, 200));
}

fn close_stream_resets(kind: Kind) {
    for of in [0, 1] {
        for callback in ["request_headers", "response_headers"] {
            let script = format!("{callback}:\n close_stream({of}) => 0\n return(1)");
            let report = Case::new(kind, &script).run(|running| {
                let mut client = running.client_of_get();
                assert_eq!(client.rest(), "", "{callback}, {of}");
            });
            let callbacks = report.stream_callbacks();
            assert_eq!(callbacks.last().map(String::as_str), Some("log"));
        }
    }
}

/// No callback is left for it, so the proxy moves the body without looking.
fn close_stream_resets_a_response_that_goes_past_the_plugin(kind: Kind) {
    let auth = Upstream::new();
    let upstream = Upstream::new();
    let script = format!(
        "request_headers:
            wit narrow_interest('')
            {CALL}
        http_call_response:
            set_effective_context(2)
            close_stream(1) => 0"
    );
    let case = match kind {
        Kind::Legacy => {
            let module = Module::new().without("proxy_on_response_body");
            Case::of(&module.without("proxy_on_response_trailers"), &script).cluster("auth", &auth)
        }
        Kind::Wit => Case::calling(kind, &script, &auth),
    };
    case.upstream(&upstream).run(|running| {
        let mut client = running.client_of_get();
        let (mut peer, _) = upstream.accept();
        peer.send_head(&["HTTP/1.1 200 OK", "content-length: 10"]);
        peer.send("body");
        assert!(client.head().starts_with("HTTP/1.1 200"));
        assert_eq!(client.read(4), "body");
        auth.answer();
        assert_eq!(client.rest(), "");
        // The upstream is let go, too.
        assert_eq!(peer.rest(), "");
    });
}

/// In Envoy it may crash.
fn resume_of_what_is_not_paused_does_nothing(kind: Kind) {
    let script = "request_headers:
            continue_stream(0)
            continue_stream(1)
        response_headers:
            continue_stream(0)
            continue_stream(1)
        log:
            continue_stream(0)
            continue_stream(1)";
    let report = Case::new(kind, script).run(|running| assert_eq!(running.get("/").status, 200));
    assert_eq!(
        report.stream_callbacks(),
        [
            "request_headers end".to_owned(),
            "response_headers".to_owned(),
            report.stream_callbacks()[2].clone(),
            "log".to_owned()
        ]
    );
    assert!(report.stream_callbacks()[2].starts_with("response_body"));
}

/// Continue and Pause: it goes on. Either form of the call.
#[test]
fn continue_and_pause_in_one_callback_goes_on() {
    for (module, call) in [
        (Module::new(), "continue_stream(0)"),
        (Module::of("0_1_0"), "continue_request()"),
    ] {
        let script = format!("request_headers:\n {call} => 0\n return(1)");
        Case::of(&module, &script).run(|running| assert_eq!(running.get("/").status, 200));
    }
    for (module, call) in [
        (Module::new(), "continue_stream(1)"),
        (Module::of("0_1_0"), "continue_response()"),
    ] {
        let script = format!("response_headers:\n {call} => 0\n return(1)");
        Case::of(&module, &script).run(|running| assert_eq!(running.get("/").status, 200));
    }
}

/// After a Continue the map can be read (a deviation) and not be written.
fn writes_after_continue_stream(kind: Kind) {
    let upstream = Upstream::new();
    let script = "request_headers:
            add_header_map_value(0, 'x-held', '1') => 0
            continue_stream(0)
            return(1)
        response_headers:
            get_header_map_value(0, ':path', out) => 0 '/'
            add_header_map_value(0, 'x-late', '1') => 2 | unavailable
            replace_header_map_value(0, ':path', '/late') => 2 | unavailable
            legacy get_header_map_size(0, u32) => 2";
    Case::new(kind, script).upstream(&upstream).run(|running| {
        let mut client = running.client_of_get();
        let (mut peer, head) = upstream.accept();
        assert!(head.contains("x-held: 1"), "{head}");
        peer.send_no_content();
        assert!(client.head().starts_with("HTTP/1.1 204"));
    });
}

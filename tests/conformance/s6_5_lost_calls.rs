//! HTTP callouts that nobody answers, or whose stream or plugin is gone (ABI reference 6.5).

use proxy_wasi_test_support::Kind;

use crate::harness::{CALL, Case, Report, Upstream, both_kinds};

both_kinds!(
    a_failed_connection_is_a_response,
    a_timeout_is_a_response,
    a_part_of_an_answer_is_none,
    a_part_of_an_answer_is_none_when_time_is_up,
    an_answer_to_a_dead_stream_still_comes_to_the_root,
);

/// The root's callback has come for its first call: to a module with these counts of fields, bytes and trailers, to a
/// component with the call's number alone.
fn is_called_with(kind: Kind, report: &Report, counts: &str) {
    let expected = match kind {
        Kind::Legacy => format!("http_call_response 1 4 {counts}"),
        Kind::Wit => "http_call_response 1 0".to_owned(),
    };
    let callbacks = report.callbacks("0");
    assert!(callbacks.contains(&expected), "{callbacks:?}");
}

/// Nobody listens there. Modules get Envoy's own response, components a cause.
fn a_failed_connection_is_a_response(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            {CALL}
        http_call_response:
            legacy get_header_map_value(6, ':status', out) => 0 '503'
            wit get_header_map_value(6, ':status', out) => none
            legacy get_header_map_value(6, 'content-type', out) => 0 'text/plain'
            legacy get_header_map_value(6, 'content-length', out) => 0 '98'
            legacy get_header_map_pairs(7, out) => 0 null
            legacy get_buffer_bytes(4, 0, 43, out) => 0 'upstream connect error or disconnect/reset '
            legacy get_buffer_bytes(4, 73, 99, out) => 0 'remote connection failure'
            wit get_buffer_bytes(4, 0, 99, out) => 0 ''
            legacy get_status(u32, out) => 0 0 null"
    );
    let case = Case::calling(kind, &script, &auth);
    drop(auth);
    let report = case.run(|running| running.wait_for("http_call_response", 1));
    is_called_with(kind, &report, "3 98 0");
}

/// It accepts and says nothing.
fn a_timeout_is_a_response(kind: Kind) {
    let auth = Upstream::new();
    let script = "configure:
            http_call('auth', pairs(':method' 'GET' ':path' '/' ':authority' 'a'), '', '', 20, u32) => 0
        http_call_response:
            legacy get_header_map_value(6, ':status', out) => 0 '504'
            legacy get_buffer_bytes(4, 0, 99, out) => 0 'upstream request timeout'
            wit get_header_map_value(6, ':status', out) => none";
    let report = Case::calling(kind, script, &auth).run(|running| {
        running.wait_for("http_call_response", 1);
    });
    is_called_with(kind, &report, "3 24 0");
}

/// The connection is lost after the head.
fn a_part_of_an_answer_is_none(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            {CALL}
        http_call_response:
            legacy get_header_map_value(6, ':status', out) => 2
            wit get_header_map_value(6, ':status', out) => none
            legacy get_header_map_pairs(6, out) => 0 null
            legacy get_header_map_value(7, 'x', out) => 2
            legacy get_buffer_bytes(4, 0, 99, out) => 1
            wit get_buffer_bytes(4, 0, 99, out) => 0 ''
            legacy get_status(u32, out) => 0 11 *"
    );
    let report = Case::calling(kind, &script, &auth).run(|running| {
        auth.answer_in_part();
        running.wait_for("http_call_response", 1);
    });
    is_called_with(kind, &report, "0 0 0");
}

/// The head comes, and nothing after it.
fn a_part_of_an_answer_is_none_when_time_is_up(kind: Kind) {
    let auth = Upstream::new();
    let script = "configure:
            http_call('auth', pairs(':method' 'GET' ':path' '/' ':authority' 'a'), '', '', 1000, u32) => 0
        http_call_response:
            legacy get_header_map_value(6, ':status', out) => 2
            wit get_header_map_value(6, ':status', out) => none
            legacy get_buffer_bytes(4, 0, 99, out) => 1";
    let report = Case::calling(kind, script, &auth).run(|running| {
        let (mut peer, _) = auth.accept();
        peer.send_head(&["HTTP/1.1 200 OK", "content-length: 9"]);
        running.wait_for("http_call_response", 1);
    });
    is_called_with(kind, &report, "0 0 0");
}

fn an_answer_to_a_dead_stream_still_comes_to_the_root(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "request_headers:
            {CALL}
            return(1)
        http_call_response:
            legacy set_effective_context(2) => 2
            wit set_effective_context(2) // its number is known to the script, and refers to nothing
            legacy get_header_map_value(0, ':path', out) => 2
            wit get_header_map_value(0, ':path', out) => unknown-stream
            continue_stream(0) => 0
            get_header_map_value(6, ':status', out) => 0 '200'
            get_buffer_bytes(4, 0, 9, out) => 0 'ok'"
    );
    let report = Case::calling(kind, &script, &auth).run(|running| {
        let client = running.client_of_get();
        let (mut peer, _) = auth.accept();
        client.close();
        running.wait_for("log", 1);
        peer.answer("ok");
        running.wait_for("http_call_response", 1);
        assert_eq!(
            running
                .proxy
                .log()
                .matches("[[@0 http_call_response")
                .count(),
            1
        );
    });
    assert!(!report.log.contains("trap"), "{}", report.log);
}

/// A root that ends takes its callouts along.
#[test]
fn callouts_end_with_their_root() {
    let auth = Upstream::new();
    let script = format!("configure:\n {CALL}");
    let mut waiting = None;
    let report = Case::calling(Kind::Legacy, &script, &auth).run(|_| waiting = Some(auth.accept()));
    let callbacks = report.callbacks("0");
    assert_eq!(callbacks[callbacks.len() - 2..], ["done 1", "delete 1"]);
    let (mut peer, _) = waiting.unwrap();
    assert_eq!(peer.rest(), "");
}

/// What is given up is over: the connection is let go, no callback comes, and giving it up again does nothing. The ABI
/// has this for gRPC alone.
#[test]
fn a_callout_that_is_given_up() {
    let auth = Upstream::new();
    let headers = "pairs(':method' 'GET' ':path' '/' ':authority' 'a')";
    let script = format!(
        "request_headers#1:
            http_call('auth', {headers}, '', '', 0, u32>first) => 0
        request_headers#2:
            http_cancel($first)
            http_cancel($first)
            http_cancel(99)
        request_headers#3:
            http_call('auth', {headers}, '', '', 0, u32>second) => 0
            http_cancel($second) // before it has begun
            http_call('auth', {headers}, '', '', 0, u32>third) => 0
        http_call_response#1:
            http_cancel($third) // too late
            get_header_map_value(6, ':status', out) => 0 '200'
            get_buffer_bytes(4, 0, 9, out) => 0 'ok'"
    );
    let report = Case::calling(Kind::Wit, &script, &auth).run(|running| {
        running.get("/");
        let (mut peer, _) = auth.accept();
        running.get("/");
        assert_eq!(peer.rest(), "", "the connection is closed");
        running.get("/");
        auth.answer();
        running.wait_for("http_call_response", 1);
    });
    let answers = report.callbacks_like("0", "http_call_response");
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(auth.is_untouched(), "nobody was asked a second time");
}

/// `proxy_get_status`: the code stays, the message goes with its callback.
#[test]
fn the_status_of_a_failure() {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            {CALL}
        http_call_response:
            get_status(u32, out) => 0 11 'reset'
            set_tick_period_milliseconds(1)
        tick#1:
            get_status(u32, out) => 0 11 null"
    );
    Case::calling(Kind::Legacy, &script, &auth).run(|running| {
        auth.answer_in_part();
        running.wait_for("tick", 1);
    });
}

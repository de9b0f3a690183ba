//! HTTP callouts that nobody answers, or whose stream or plugin is gone (ABI reference 6.5).

use proxy_wasi_test_support::Kind;

use crate::harness::{Upstream, both_kinds};
use crate::s6_5_call_responses::{CALL, OK, answer, case};

both_kinds!(
    a_failure_has_nothing_to_read,
    an_answer_to_a_dead_stream_still_comes_to_the_root,
);

/// Nobody listens there.
fn a_failure_has_nothing_to_read(kind: Kind) {
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
    let case = case(kind, &script, &auth);
    drop(auth);
    let report = case.run(|running| running.wait_for("http_call_response", 1));
    let callbacks = report.callbacks("0");
    let expected = match kind {
        Kind::Legacy => "http_call_response 1 4 0 0 0",
        Kind::Wit => "http_call_response 1 0",
    };
    assert!(callbacks.contains(&expected.to_owned()), "{callbacks:?}");
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
    let report = case(kind, &script, &auth).run(|running| {
        let mut client = running.client();
        client.send_head(&["GET / HTTP/1.1", "host: a"]);
        let (mut peer, _) = auth.accept();
        client.close();
        running.wait_for("log", 1);
        peer.send_head(&OK);
        peer.send("ok");
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
    let report = case(Kind::Legacy, &script, &auth).run(|_| waiting = Some(auth.accept()));
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
    let report = case(Kind::Wit, &script, &auth).run(|running| {
        running.get("/");
        let (mut peer, _) = auth.accept();
        running.get("/");
        assert_eq!(peer.rest(), "", "the connection is closed");
        running.get("/");
        answer(&auth);
        running.wait_for("http_call_response", 1);
    });
    let callbacks = report.callbacks("0");
    let answers = callbacks
        .iter()
        .filter(|text| text.starts_with("http_call_response"));
    assert_eq!(answers.count(), 1, "{callbacks:?}");
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
    let case = case(Kind::Legacy, &script, &auth);
    drop(auth);
    case.run(|running| running.wait_for("tick", 1));
}

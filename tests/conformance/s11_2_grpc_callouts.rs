//! gRPC callouts (ABI reference 11.2).

use proxy_wasi_test_support::{GrpcServer, Kind};

use crate::harness::{Case, Report, both_kinds};

both_kinds!(
    unary_calls_end_with_their_message,
    unary_calls_that_fail_are_closed,
    streams,
    closing_and_cancelling,
    closing_a_stream_ends_one_side,
    events_act_on_a_stream,
);

/// `test.Echo` takes and gives a text: field 1.
const HELLO: &str = r"'\x0a\x05hello'";
const FAIL: &str = r"'\x0a\x04fail'";
/// What it answers.
const LOUD: &str = r"'\x0a\x05HELLO'";

fn run(kind: Kind, script: &str, until: (&str, usize)) -> Report {
    let server = GrpcServer::start(None);
    Case::new(kind, script)
        .config(
            "clusters",
            serde_json::json!([{ "name": "echo", "url": server.url() }]),
        )
        .run(|running| running.wait_for(until.0, until.1))
}

fn names(report: &Report) -> Vec<String> {
    let callbacks = report.callbacks("0").into_iter();
    callbacks
        .filter(|text| text.starts_with("grpc_"))
        .map(|text| text.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

fn has(report: &Report, callback: &str) {
    let callbacks = report.callbacks("0");
    assert!(
        callbacks.iter().any(|text| text == callback),
        "no {callback}: {callbacks:?}"
    );
}

/// No metadata, no close. What the callback brought goes with it.
fn unary_calls_end_with_their_message(kind: Kind) {
    let script = format!(
        "configure:
            grpc_call('echo', 'test.Echo', 'Say', '', {HELLO}, 5000, u32) => 0 5 | 0
        grpc_receive:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
            legacy get_buffer_status(5, u32, u32) => 0 7 0
            legacy set_buffer_bytes(5, 0, 0, 'x') => 2
            legacy get_header_map_value(4, 'x-initial', out) => 2
            set_tick_period_milliseconds(1)
        tick#3:
            get_buffer_bytes(5, 0, 99, out) => 0 null | 0 ''"
    );
    let report = run(kind, &script, ("tick", 3));
    assert_eq!(names(&report), ["grpc_receive"]);
    if kind == Kind::Legacy {
        has(&report, "grpc_receive 1 5 7");
    }
}

fn unary_calls_that_fail_are_closed(kind: Kind) {
    let script = format!(
        "configure:
            grpc_call('echo', 'test.Echo', 'Say', '', {FAIL}, 5000, u32) => 0 5 | 0
        grpc_close:
            legacy get_status(u32, out) => 0 7 *
            set_tick_period_milliseconds(1)"
    );
    let report = run(kind, &script, ("tick", 3));
    assert_eq!(names(&report), ["grpc_close"]);
    match kind {
        Kind::Legacy => has(&report, "grpc_close 1 5 7"),
        Kind::Wit => has(&report, "grpc_close 1 7"),
    }
}

/// Initial metadata, messages, trailing metadata, close.
fn streams(kind: Kind) {
    let script = format!(
        "configure:
            grpc_stream('echo', 'test.Echo', 'Chat', pairs('x-meta' 'mine'), u32>token) => 0 6 | 0
            grpc_send($token, {HELLO}, 0) => 0
        grpc_receive_initial_metadata:
            get_header_map_value(4, 'x-initial', out) => 0 'mine'
            legacy add_header_map_value(4, 'x', 'y') => 2
        grpc_receive#1:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
            grpc_send($token, {HELLO}, 1) => 0
        grpc_receive#2:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
        grpc_receive_trailing_metadata:
            legacy get_header_map_pairs(5, out) => 0 *
        grpc_close:
            legacy get_status(u32, out) => 0 0 null"
    );
    let report = run(kind, &script, ("grpc_close", 1));
    assert_eq!(
        names(&report),
        [
            "grpc_receive_initial_metadata",
            "grpc_receive",
            "grpc_receive",
            "grpc_receive_trailing_metadata",
            "grpc_close"
        ]
    );
    match kind {
        Kind::Legacy => has(&report, "grpc_close 1 6 0"),
        Kind::Wit => has(&report, "grpc_close 1 0"),
    }
}

/// No callback follows what was given up.
fn closing_and_cancelling(kind: Kind) {
    let script = format!(
        "configure:
            grpc_stream('echo', 'test.Echo', 'Chat', '', u32>stream) => 0 6 | 0
            grpc_send($stream, {HELLO}, 0) => 0
            grpc_cancel($stream) => 0
            grpc_cancel($stream) => 1 | unknown-callout
            grpc_send($stream, {HELLO}, 0) => 1 | unknown-callout
            grpc_call('echo', 'test.Echo', 'Say', '', {HELLO}, 5000, u32>call) => 0 5 | 0
            grpc_send($call, {HELLO}, 0) => 2 | not-a-stream
            grpc_close($call) => 0
            grpc_close($call) => 1 | unknown-callout
            grpc_call('echo', 'test.Echo', 'Say', '', {HELLO}, 5000, u32) => 0 9 | 0
        grpc_receive:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
            set_tick_period_milliseconds(1)"
    );
    let report = run(kind, &script, ("tick", 3));
    // Of the last call only.
    assert_eq!(names(&report), ["grpc_receive"]);
    if kind == Kind::Legacy {
        has(&report, "grpc_receive 1 9 7");
    }
}

/// The server hears that no more comes, and what it still has to say arrives.
fn closing_a_stream_ends_one_side(kind: Kind) {
    let script = format!(
        "configure:
            grpc_stream('echo', 'test.Echo', 'Chat', '', u32>stream) => 0 6 | 0
            grpc_send($stream, {HELLO}, 0) => 0
        grpc_receive#1:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
            grpc_send($stream, {HELLO}, 1) => 0
            grpc_close($stream) => 0 | closed
            grpc_close($stream) => 0 | closed
            legacy grpc_send($stream, {HELLO}, 0) => 0
            wit grpc_send($stream, {HELLO}, 0) => closed
        grpc_close:
            set_tick_period_milliseconds(1)
        tick#1:
            grpc_send($stream, {HELLO}, 0) => 1 | unknown-callout // both sides have ended"
    );
    let report = run(kind, &script, ("tick", 1));
    assert_eq!(
        names(&report),
        [
            "grpc_receive_initial_metadata",
            "grpc_receive",
            "grpc_receive",
            "grpc_receive_trailing_metadata",
            "grpc_close"
        ]
    );
    if kind == Kind::Legacy {
        has(&report, "grpc_close 1 6 0");
        let explained = "a gRPC message is dropped: the plugin has ended its side of the stream";
        assert!(report.log.contains(explained), "{}", report.log);
    }
}

/// They come to the root context, which can choose a stream.
fn events_act_on_a_stream(kind: Kind) {
    let server = GrpcServer::start(None);
    let script = format!(
        "request_headers:
            grpc_call('echo', 'test.Echo', 'Say', '', {HELLO}, 5000, u32) => 0 5 | 0
            return(1)
        grpc_receive:
            legacy get_header_map_value(0, ':path', out) => 2
            set_effective_context(2)
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
            get_header_map_value(0, ':path', out) => 0 '/'
            add_header_map_value(0, 'x-said', '1')
            continue_stream(0)"
    );
    let clusters = serde_json::json!([{ "name": "echo", "url": server.url() }]);
    Case::new(kind, &script)
        .config("clusters", clusters)
        .run(|running| assert_eq!(running.get("/").echoed("x-said"), ["1"]));
}

/// A stream whose server has ended it keeps its token until the plugin closes it; what is sent goes nowhere.
#[test]
fn a_stream_is_known_until_both_sides_have_ended() {
    let script = format!(
        "configure:
            grpc_stream('echo', 'test.Echo', 'Chat', '', u32>stream) => 0 6
            grpc_send($stream, {FAIL}, 0) => 0
        grpc_close:
            grpc_send($stream, {HELLO}, 0) => 0
            set_tick_period_milliseconds(1)
        tick#1:
            grpc_send($stream, {HELLO}, 0) => 0
            grpc_close($stream) => 0
            grpc_send($stream, {HELLO}, 0) => 1
            grpc_close($stream) => 1"
    );
    let report = run(Kind::Legacy, &script, ("tick", 1));
    has(&report, "grpc_close 1 6 7");
}

/// The call has begun by then; nobody knows its number, and its answer comes all the same.
#[test]
fn a_bad_token_address_is_noticed_after_the_start() {
    let script = format!(
        "configure:
            grpc_call('echo', 'test.Echo', 'Say', '', {HELLO}, 5000, end+0) => 6
        grpc_receive:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}"
    );
    let report = run(Kind::Legacy, &script, ("grpc_receive", 1));
    has(&report, "grpc_receive 1 5 7");
}

#[test]
fn what_is_refused() {
    let script = format!(
        "configure:
            grpc_call('nobody', 'test.Echo', 'Say', '', {HELLO}, 100, u32) => 4
            grpc_stream('nobody', 'test.Echo', 'Chat', '', u32) => 4
            grpc_send(5, {HELLO}, 0) => 2 // a call's
            grpc_send(6, {HELLO}, 0) => 1 // unknown
            grpc_send(4, {HELLO}, 0) => 2 // an HTTP callout's
            grpc_close(5) => 1
            grpc_close(6) => 1
            grpc_close(4) => 2
            grpc_close(7) => 2
            grpc_cancel(5) => 1
            grpc_cancel(6) => 1
            grpc_cancel(4) => 2
            grpc_cancel(7) => 2
            set_tick_period_milliseconds(1)"
    );
    let report = run(Kind::Legacy, &script, ("tick", 1));
    for explained in [
        "no cluster is called `nobody`; known are `echo`",
        "the token is no gRPC stream's",
        "the token is no gRPC callout's",
    ] {
        assert!(report.log.contains(explained), "{}", report.log);
    }
}

//! gRPC callouts (ABI reference 11.2).

use proxy_wasi_test_support::GrpcServer;

use crate::harness::Case;

/// `test.Echo` takes and gives a text: field 1.
const HELLO: &str = r"'\x0a\x05hello'";
const FAIL: &str = r"'\x0a\x04fail'";
/// What it answers.
const LOUD: &str = r"'\x0a\x05HELLO'";

fn run(script: &str, until: (&str, usize)) -> crate::harness::Report {
    let server = GrpcServer::start(None);
    Case::legacy(script)
        .config("clusters", serde_json::json!([{ "name": "echo", "url": server.url() }]))
        .run(|running| running.wait_for(until.0, until.1))
}

fn grpc(report: &crate::harness::Report) -> Vec<String> {
    let callbacks = report.callbacks("0");
    callbacks.into_iter().filter(|text| text.starts_with("grpc_")).collect()
}

/// A success is one message: no metadata, no close.
#[test]
fn unary_success() {
    let script = format!(
        "configure:
            grpc_call('echo', 'test.Echo', 'Say', '', {HELLO}, 5000, u32) => 0 5
        grpc_receive:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
            get_buffer_status(5, u32, u32) => 0 7 0
            set_buffer_bytes(5, 0, 0, 'x') => 2
            get_header_map_value(4, 'x-initial', out) => 2
            set_tick_period_milliseconds(1)
        tick#3:
            get_buffer_bytes(5, 0, 99, out) => 0 null"
    );
    let report = run(&script, ("tick", 3));
    assert_eq!(grpc(&report), ["grpc_receive 1 5 7"]);
}

/// A failure is one close.
#[test]
fn unary_failure() {
    let script = format!(
        "configure:
            grpc_call('echo', 'test.Echo', 'Say', '', {FAIL}, 5000, u32) => 0 5
        grpc_close:
            get_status(u32, out) => 0 7 *
            set_tick_period_milliseconds(1)"
    );
    let report = run(&script, ("tick", 3));
    assert_eq!(grpc(&report), ["grpc_close 1 5 7"]);
}

/// Initial metadata, messages, trailing metadata, close.
#[test]
fn streams() {
    let script = format!(
        "configure:
            grpc_stream('echo', 'test.Echo', 'Chat', pairs('x-meta' 'mine'), u32>token) => 0 6
            grpc_send($token, {HELLO}, 0) => 0
        grpc_receive_initial_metadata:
            get_header_map_value(4, 'x-initial', out) => 0 'mine'
            add_header_map_value(4, 'x', 'y') => 2
        grpc_receive#1:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
            grpc_send($token, {HELLO}, 1) => 0
        grpc_receive#2:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}
        grpc_receive_trailing_metadata:
            get_header_map_pairs(5, out) => 0 *
        grpc_close:
            get_status(u32, out) => 0 0 null"
    );
    let report = run(&script, ("grpc_close", 1));
    let callbacks = grpc(&report);
    let names: Vec<_> = callbacks.iter().filter_map(|text| text.split(' ').next()).collect();
    assert_eq!(
        names,
        [
            "grpc_receive_initial_metadata",
            "grpc_receive",
            "grpc_receive",
            "grpc_receive_trailing_metadata",
            "grpc_close"
        ]
    );
    assert_eq!(callbacks.last().map(String::as_str), Some("grpc_close 1 6 0"));
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
    run(&script, ("tick", 1));
}

/// No further callback.
#[test]
fn cancel() {
    let script = format!(
        "configure:
            grpc_stream('echo', 'test.Echo', 'Chat', '', u32>stream) => 0 6
            grpc_send($stream, {HELLO}, 0) => 0
            grpc_cancel($stream) => 0
            grpc_cancel($stream) => 1
            grpc_send($stream, {HELLO}, 0) => 1
            grpc_call('echo', 'test.Echo', 'Say', '', {HELLO}, 5000, u32>call) => 0 *
            grpc_close($call) => 0
            grpc_close($call) => 1
            grpc_call('echo', 'test.Echo', 'Say', '', {HELLO}, 5000, u32) => 0 *
        grpc_receive:
            get_buffer_bytes(5, 0, 99, out) => 0 {LOUD}"
    );
    let report = run(&script, ("grpc_receive", 1));
    // Of the last call only.
    assert_eq!(grpc(&report), ["grpc_receive 1 13 7"]);
}

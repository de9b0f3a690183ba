//! Where this host behaves unlike Envoy, on purpose: each entry of `Deviation`, with what the log says of it.

use proxy_wasi_stream::Deviation;
use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Report, Running, Upstream, both_kinds};

both_kinds!(
    headers_stay_readable,
    resume_without_pause,
    content_length_kept_true,
    buffers_per_filter,
    no_buffer_drops_all,
    given_up_callbacks_hold,
    empty_pieces_are_not_shown,
    authority_is_required,
    failures_are_immediate,
    repeated_fields_stand_together,
);

/// A new entry needs a case here.
#[test]
fn every_deviation_has_a_case() {
    let cases = include_str!("deviations.rs");
    for deviation in Deviation::ALL {
        let name = deviation.id().replace('-', "_");
        assert!(
            cases.contains(&format!("\nfn {name}(kind: Kind)")),
            "{name}"
        );
    }
}

/// The log says it once.
fn said(report: &Report, deviation: Deviation) {
    let id = format!("deviation=\"{}\"", deviation.id());
    assert_eq!(report.log.matches(&id).count(), 1, "{id}:\n{}", report.log);
}

fn silent(report: &Report) {
    assert!(!report.log.contains("deviation="), "{}", report.log);
}

fn headers_stay_readable(kind: Kind) {
    let script = "response_headers:
        get_header_map_value(0, ':path', out) => 0 '/'
        get_header_map_value(0, 'host', out) => 0 * | *";
    let report = Case::new(kind, script).run(|running| {
        running.get("/");
        running.get("/");
    });
    said(&report, Deviation::HeadersStayReadable);
    // The log callback may read them in Envoy too.
    let report = Case::new(
        kind,
        "log:\n get_header_map_value(0, ':path', out) => 0 '/'",
    )
    .get();
    silent(&report);
}

fn resume_without_pause(kind: Kind) {
    let script = "request_headers:\n continue_stream(0)";
    let report = Case::new(kind, script).run(|running| {
        assert_eq!(running.get("/").status, 200);
        running.get("/");
    });
    said(&report, Deviation::ResumeWithoutPause);
}

fn content_length_kept_true(kind: Kind) {
    let script = "request_headers:
            return(1)
        request_body:
            set_buffer_bytes(0, 0, 0x7fffffff, 'changed its length')";
    let report = Case::new(kind, script)
        .plugin("on_headers_pause", "stop_iteration")
        .run(|running| {
            assert_eq!(running.post("body").echoed("content-length"), ["18"]);
        });
    said(&report, Deviation::ContentLengthKeptTrue);
}

/// A request body whose bytes a test sends one by one.
fn post(running: &Running, upstream: &Upstream, bytes: &[&str]) -> String {
    let mut client = running.client();
    let length = format!("content-length: {}", bytes.concat().len());
    client.send_head(&["POST / HTTP/1.1", "host: a", &length]);
    for (at, byte) in bytes.iter().enumerate() {
        client.send(byte);
        if at + 1 < bytes.len() {
            running.wait_for("request_body", at + 1);
        }
    }
    let (mut peer, head) = upstream.accept();
    let body = if head.contains("chunked") {
        peer.chunked_body().0
    } else {
        peer.read(bytes.concat().len())
    };
    peer.send_no_content();
    client.head();
    body
}

/// The first holds A and B, then lets them go; the second sees and holds its own.
fn buffers_per_filter(kind: Kind) {
    let first = "request_body#1:
            return(1)
        request_body#2:
            get_buffer_bytes(0, 0, 9, out) => 0 'AB'
            return(0)
        request_body#3:
            get_buffer_bytes(0, 0, 9, out) => 0 'C'
            return(1)
        request_body#4:
            get_buffer_bytes(0, 0, 9, out) => 0 'CD'";
    let second = "request_body#1:
            get_buffer_bytes(0, 0, 9, out) => 0 'AB'
            return(1)
        request_body#2:
            get_buffer_bytes(0, 0, 9, out) => 0 'ABCD'";
    let upstream = Upstream::new();
    let report = Case::new(kind, first)
        .and(kind, second)
        .upstream(&upstream)
        .run(|running| {
            assert_eq!(post(running, &upstream, &["A", "B", "C", "D"]), "ABCD");
        });
    said(&report, Deviation::BuffersPerFilter);
}

fn no_buffer_drops_all(kind: Kind) {
    let script = "request_headers:
            remove_header_map_value(0, 'content-length')
        request_body#1:
            return(1)
        request_body#2:
            get_buffer_bytes(0, 0, 9, out) => 0 'AB'
            return(3)
        request_body#3:
            get_buffer_bytes(0, 0, 9, out) => 0 'C'";
    let upstream = Upstream::new();
    let report = Case::new(kind, script).upstream(&upstream).run(|running| {
        assert_eq!(post(running, &upstream, &["A", "B", "C"]), "C");
    });
    said(&report, Deviation::NoBufferDropsAll);
}

/// Components give callbacks up while they hold; a callback that a module lacks counts as "continue".
fn given_up_callbacks_hold(kind: Kind) {
    let script = "request_headers@2:
            wit narrow_interest('')
            return(1)
        request_headers@3:
            set_effective_context(2)
            continue_stream(0)
            set_effective_context(3)
            send_local_response(200, '', 'nudged', '', -1)
            return(1)";
    let upstream = Upstream::new();
    let report = Case::new(kind, script)
        .plugin("on_headers_pause", "stop_iteration")
        .upstream(&upstream)
        .run(|running| {
            let mut client = running.client_of_post(4);
            client.send("body");
            running.wait_for("request_headers", 1);
            if kind == Kind::Wit {
                assert_eq!(running.get("/").text(), "nudged");
            } else {
                // The body callback continues what is held.
                running.wait_for("request_body", 1);
                assert_eq!(running.get("/").text(), "nudged");
            }
            let (mut peer, _) = upstream.accept();
            assert_eq!(peer.read(4), "body");
            peer.send_no_content();
            client.head();
        });
    let callbacks = report.stream_callbacks();
    if kind == Kind::Wit {
        assert_eq!(callbacks, ["request_headers"]);
        said(&report, Deviation::GivenUpCallbacksHold);
    } else {
        assert_eq!(callbacks[..2], ["request_headers", "request_body 4 end"]);
    }
}

fn empty_pieces_are_not_shown(kind: Kind) {
    let first = "request_headers:
            remove_header_map_value(0, 'content-length')
        request_body#1:
            return(1)
        request_body#2:
            set_buffer_bytes(0, 0, 0x7fffffff, '')
            return(0)";
    let upstream = Upstream::new();
    let report = Case::new(kind, first)
        .and(kind, "")
        .upstream(&upstream)
        .run(|running| assert_eq!(post(running, &upstream, &["A", "B", "C"]), "C"));
    let second = report.stream_callbacks_of("1", 2);
    let bodies: Vec<_> = second
        .iter()
        .filter(|text| text.starts_with("request_body"))
        .collect();
    assert_eq!(bodies, ["request_body 1 end"]);
}

fn authority_is_required(kind: Kind) {
    let script = "request_headers:\n remove_header_map_value(0, ':authority') => 0";
    Case::new(kind, script).run(|running| assert_eq!(running.get("/").status, 503));
}

/// The upstream has not answered; the stream's plugin fails in another stream.
fn failures_are_immediate(kind: Kind) {
    let script = "request_headers@3:\n trap()";
    let upstream = Upstream::new();
    let running = Case::new(kind, script).upstream(&upstream).start();
    let mut client = running.client_of_get();
    let _peer = upstream.accept();
    assert_eq!(running.get("/").status, 503);
    assert!(client.head().starts_with("HTTP/1.1 503"));
}

/// No field is lost, and the values of a name keep their order.
fn repeated_fields_stand_together(kind: Kind) {
    let mixed = "pairs(':method' 'GET' 'x-b' '1' 'x-a' '2' 'x-b' '' ':path' '/a' ':authority' 'h')";
    let sorted =
        "pairs(':authority' 'h' ':path' '/a' ':method' 'GET' 'x-b' '1' 'x-b' '' 'x-a' '2')";
    let script = format!(
        "request_headers:
            set_header_map_pairs(0, {mixed}) => 0
            get_header_map_pairs(0, out) => 0 {sorted}"
    );
    Case::new(kind, &script).run(|running| {
        let reply = running.get("/");
        assert_eq!(reply.echoed("x-b"), ["1", ""]);
        assert_eq!(reply.echo()["path"], "/a");
    });
}

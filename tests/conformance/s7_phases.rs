//! Which maps and buffers can be read and written when (ABI reference 7.1, 7.4).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Running, Upstream, both_kinds};

both_kinds!(
    s7_1_phases,
    s7_1_trailers_are_made_in_the_last_body_callback,
    s7_4_late_edits_do_not_count
);

/// An exchange with bodies and trailers in both directions.
fn full_exchange(running: &Running, upstream: &Upstream) {
    let mut client = running.client();
    client.send_head(&[
        "POST / HTTP/1.1",
        "host: a",
        "transfer-encoding: chunked",
        "te: trailers",
        "trailer: x-t",
    ]);
    client.chunk("ask");
    client.trailers(&["x-t: 1"]);
    let (mut peer, _) = upstream.accept();
    peer.chunked_body();
    peer.send_head(&[
        "HTTP/1.1 200 OK",
        "transfer-encoding: chunked",
        "trailer: x-t",
    ]);
    peer.chunk("answer");
    peer.trailers(&["x-t: 2"]);
    client.head();
    client.chunked_body();
    running.wait_for("log", 1);
}

/// All callbacks return Continue. Headers and trailers stay readable (a deviation); in Envoy reading them then is 2.
fn s7_1_phases(kind: Kind) {
    let unavailable = "=> 2 | unavailable";
    let map = |map: u32, readable: bool, writable: bool| {
        let name = if map.is_multiple_of(2) { "x-h" } else { "x-t" };
        let read = if readable { "=> 0 *" } else { unavailable };
        let write = if writable { "=> 0" } else { unavailable };
        let size = if writable { "=> 0 *" } else { "=> 2" };
        let pairs = if readable {
            "=> 0 *"
        } else {
            "=> 0 null | unavailable"
        };
        format!(
            "add_header_map_value({map}, '{name}', 'a') {write}
            get_header_map_value({map}, '{name}', out) {read}
            replace_header_map_value({map}, '{name}', 'b') {write}
            remove_header_map_value({map}, 'x-none') {write}
            get_header_map_pairs({map}, out) {pairs}
            legacy get_header_map_size({map}, u32) {size}\n"
        )
    };
    let body = |buffer: u32, content: Option<&str>| match content {
        Some(content) => format!("get_buffer_bytes({buffer}, 0, 99, out) => 0 '{content}'\n"),
        None => format!(
            "get_buffer_bytes({buffer}, 0, 99, out) => 0 null | unavailable
            set_buffer_bytes({buffer}, 0, 0, 'x') => 2 | unavailable\n"
        ),
    };
    let (none, read, write) = ((false, false), (true, false), (true, true));
    // Maps 0 to 3, buffers 0 and 1.
    let phases = [
        ("request_headers", [write, none, none, none], [None, None]),
        (
            "request_body",
            [read, none, none, none],
            [Some("ask"), None],
        ),
        ("request_trailers", [read, write, none, none], [None, None]),
        ("response_headers", [read, read, write, none], [None, None]),
        (
            "response_body",
            [read, read, read, none],
            [None, Some("answer")],
        ),
        ("response_trailers", [read, read, read, write], [None, None]),
        ("log", [read, read, read, read], [None, None]),
    ];
    let mut script = String::new();
    for (callback, maps, buffers) in phases {
        script.push_str(callback);
        script.push_str(if callback.ends_with("_body") {
            "#1:\n"
        } else {
            ":\n"
        });
        for (number, (readable, writable)) in (0..).zip(maps) {
            script.push_str(&map(number, readable, writable));
        }
        for (number, content) in (0..).zip(buffers) {
            script.push_str(&body(number, content));
        }
    }
    let upstream = Upstream::new();
    Case::new(kind, &script)
        .upstream(&upstream)
        .run(|running| full_exchange(running, &upstream));
}

/// A map that never existed is, in the log callback, one without keys.
#[test]
fn s7_1_maps_that_never_were_in_the_log_callback() {
    let script = "log:
        get_header_map_value(1, 'x', out) => 1
        get_header_map_value(3, 'x', out) => 1
        get_header_map_pairs(1, out) => 0 null
        get_header_map_value(0, ':path', out) => 0 '/'
        get_header_map_value(2, ':status', out) => 0 '200'
        get_header_map_value(0, 'x-none', out) => 1
        add_header_map_value(0, 'x', 'y') => 2
        set_header_map_pairs(0, pairs('x' 'y')) => 2";
    Case::legacy(script).get();
}

/// Trailers of a message that had none.
fn s7_1_trailers_are_made_in_the_last_body_callback(kind: Kind) {
    let upstream = Upstream::new();
    // HTTP/1.1 sends the trailers that it has announced.
    let script = "request_headers:
            remove_header_map_value(0, 'content-length')
            add_header_map_value(0, 'trailer', 'x-made')
        request_body#1:
            add_header_map_value(1, 'x-made', '1') => 2 | unavailable // not the last one
        request_body#2:
            get_header_map_value(1, 'x-made', out) => 2 | unavailable
            add_header_map_value(1, 'x-made', '1') => 0
            get_header_map_value(1, 'x-made', out) => 0 '1'
        response_headers:
            remove_header_map_value(2, 'content-length')
            add_header_map_value(2, 'trailer', 'x-made')
        response_body#1:
            add_header_map_value(3, 'x-made', '2') => 0";
    Case::new(kind, script).upstream(&upstream).run(|running| {
        let mut client = running.client();
        client.send_head(&[
            "POST / HTTP/1.1",
            "host: a",
            "content-length: 2",
            "te: trailers",
        ]);
        client.send("A");
        running.wait_for("request_body", 1);
        client.send("B");
        let (mut peer, _) = upstream.accept();
        let (body, trailers) = peer.chunked_body();
        assert_eq!((body.as_str(), trailers.trim()), ("AB", "x-made: 1"));
        peer.send_head(&["HTTP/1.1 200 OK", "content-length: 4"]);
        peer.send("body");
        client.head();
        let (body, trailers) = client.chunked_body();
        assert_eq!((body.as_str(), trailers.trim()), ("body", "x-made: 2"));
    });
}

/// After a Pause the body that is held can be read, until it is continued.
#[test]
fn s7_1_a_held_body_in_the_trailers_callback() {
    let upstream = Upstream::new();
    let script = "request_body:
            return(1)
        request_trailers:
            get_buffer_bytes(0, 0, 99, out) => 0 'ask'
            set_buffer_bytes(0, 0, 0x7fffffff, 'asked') => 0
            get_buffer_bytes(0, 0, 99, out) => 0 'asked'
        response_headers:
            get_buffer_bytes(0, 0, 99, out) => 0 null";
    Case::legacy(script)
        .upstream(&upstream)
        .run(|running| full_exchange(running, &upstream));
}

fn s7_4_late_edits_do_not_count(kind: Kind) {
    let script = "request_body:
            replace_header_map_value(0, 'x-late', '1') => 2 | unavailable
        response_headers:
            replace_header_map_value(0, 'x-late', '1') => 2 | unavailable";
    Case::new(kind, script).run(|running| {
        assert_eq!(running.post("body").echoed("x-late"), [""; 0]);
    });
}

//! Buffers (ABI reference 4.6).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Upstream, both_kinds};

both_kinds!(reads, set_positions, emptied, larger_than_a_copy);

/// Ranges that go beyond the end are cut, those that begin there are empty.
fn reads(kind: Kind) {
    let script = "request_body:
        get_buffer_bytes(0, 0, -1, out) => 0 '0123456789'
        get_buffer_bytes(0, 0, 0x7fffffff, out) => 0 '0123456789'
        get_buffer_bytes(0, 2, 3, out) => 0 '234'
        get_buffer_bytes(0, 8, 100, out) => 0 '89'
        get_buffer_bytes(0, 9, -1, out) => 0 '9'
        get_buffer_bytes(0, 10, 1, out) => 0 null | 0 ''
        get_buffer_bytes(0, -1, -1, out) => 0 null | 0 ''
        get_buffer_bytes(0, 0, 0, out) => 0 null | 0 ''
        legacy get_buffer_status(0, u32, u32) => 0 10 0
        wit get_buffer_status(0) => 0 10";
    Case::new(kind, script).run(|running| {
        running.post("0123456789");
    });
}

/// From 0 nothing: prepend. From 0: replace so much of the front. From the end on: append. Elsewhere: refused, except
/// to components, which say where they mean.
fn set_positions(kind: Kind) {
    let cases = [
        ("0, 0, 'AB'", "0", "AB0123"),
        ("0, 1, 'AB'", "0", "AB123"),
        ("0, 3, ''", "0", "3"),
        ("0, 4, 'AB'", "0", "AB"),
        ("0, 100, 'AB'", "0", "AB"),
        ("0, 0x7fffffff, 'AB'", "0", "AB"),
        ("4, 0, 'AB'", "0", "0123AB"),
        ("0, 0, ''", "0", "0123"),
    ];
    for (args, status, expected) in cases {
        let script = format!(
            "request_headers:
                remove_header_map_value(0, 'content-length')
            request_body:
                set_buffer_bytes(0, {args}) => {status}
                get_buffer_bytes(0, 0, 100, out) => 0 '{expected}'"
        );
        Case::new(kind, &script).run(|running| {
            let reply = running.post("0123");
            assert_eq!(reply.echo()["body"]["text"], expected, "{args}");
        });
    }
}

#[test]
fn set_positions_of_the_abi() {
    let script = "request_headers:
            remove_header_map_value(0, 'content-length')
        request_body:
            set_buffer_bytes(0, 2, 1, 'x') => 2
            set_buffer_bytes(0, 3, 0, 'x') => 2
            set_buffer_bytes(0, 4, 9, 'A') => 0
            set_buffer_bytes(0, 0x7fffffff, 0, 'B') => 0
            set_buffer_bytes(0, -1, -1, 'C') => 0
            get_buffer_bytes(0, 0, 100, out) => 0 '0123ABC'
            get_buffer_status(0, u32, u32) => 0 7 0";
    Case::legacy(script).run(|running| {
        running.post("0123");
    });
}

#[test]
fn set_positions_of_an_empty_buffer_coincide() {
    for args in ["0, 0", "0, 0x7fffffff", "0x7fffffff, 0", "5, 5"] {
        let script = format!(
            "request_headers:
                remove_header_map_value(0, 'content-length')
            request_body:
                set_buffer_bytes(0, 0, -1, '') => 0
                get_buffer_bytes(0, 0, 9, out) => 0 null
                set_buffer_bytes(0, {args}, 'new') => 0
                get_buffer_bytes(0, 0, 9, out) => 0 'new'"
        );
        Case::legacy(&script).run(|running| {
            assert_eq!(running.post("0123").echo()["body"]["text"], "new", "{args}");
        });
    }
}

fn emptied(kind: Kind) {
    let script = "response_headers:
            remove_header_map_value(2, 'content-length')
        response_body:
            set_buffer_bytes(1, 0, 0x7fffffff, '') => 0";
    Case::new(kind, script).run(|running| assert_eq!(running.get("/").text(), ""));
}

fn larger_than_a_copy(kind: Kind) {
    let script = "request_headers:
            remove_header_map_value(0, 'content-length')
            return(0)
        request_body:
            set_buffer_bytes(0, 0, 0x7fffffff, many('0123456789abcdef' 50000)) => 0
            get_buffer_bytes(0, 0, 0x7fffffff, out) => 0 many('0123456789abcdef' 50000)
            get_buffer_bytes(0, 8, 800000, out) => 0 *
            get_buffer_bytes(0, 799999, 9, out) => 0 'f'";
    let upstream = Upstream::new();
    Case::new(kind, script).upstream(&upstream).run(|running| {
        let mut client = running.client_of_post(4);
        client.send("body");
        let (mut peer, _) = upstream.accept();
        let (body, _) = peer.chunked_body();
        assert_eq!(body, "0123456789abcdef".repeat(50_000));
        peer.send_no_content();
        client.head();
    });
}

/// What "not available" means differs from buffer to buffer.
#[test]
fn unavailable_buffers() {
    let script = "request_headers:
            get_buffer_bytes(0, 0, 9, out) => 0 null
            get_buffer_bytes(1, 0, 9, out) => 0 null
            get_buffer_bytes(2, 0, 9, out) => 0 null
            get_buffer_bytes(3, 0, 9, out) => 0 null
            get_buffer_bytes(4, 0, 9, out) => 1
            get_buffer_bytes(5, 0, 9, out) => 0 null
            get_buffer_bytes(7, 0, 9, out) => 1
            get_buffer_bytes(8, 0, 9, out) => 1
            get_buffer_bytes(9, 0, 9, out) => 2
            get_buffer_bytes(-1, 0, 9, out) => 2
            get_buffer_status(0, u32, u32) => 0 0 0
            get_buffer_status(1, u32, u32) => 0 0 0
            get_buffer_status(2, u32, u32) => 0 0 0
            get_buffer_status(3, u32, u32) => 0 0 0
            get_buffer_status(4, u32, u32) => 1
            get_buffer_status(5, u32, u32) => 0 0 0
            get_buffer_status(7, u32, u32) => 1
            get_buffer_status(9, u32, u32) => 2
            set_buffer_bytes(0, 0, 0, 'x') => 2
            set_buffer_bytes(1, 0, 0, 'x') => 2
            set_buffer_bytes(2, 0, 0, 'x') => 2
            set_buffer_bytes(3, 0, 0, 'x') => 2
            set_buffer_bytes(4, 0, 0, 'x') => 1
            set_buffer_bytes(5, 0, 0, 'x') => 2
            set_buffer_bytes(6, 0, 0, 'x') => 2
            set_buffer_bytes(7, 0, 0, 'x') => 1
            set_buffer_bytes(9, 0, 0, 'x') => 2
        configure:
            get_buffer_bytes(0, 0, 9, out) => 0 null
            get_buffer_bytes(1, 0, 9, out) => 0 null
            set_buffer_bytes(0, 0, 0, 'x') => 2
            set_buffer_bytes(7, 0, 0, 'x') => 2 // readable, not writable
            set_buffer_bytes(7, 0, 0, -1, 9) => 6
            set_buffer_bytes(6, 0, 0, -1, 9) => 6
            set_buffer_bytes(0, 0, 0, -1, 9) => 6
            set_buffer_bytes(2, 0, 0, -1, 9) => 6
            set_buffer_bytes(4, 0, 0, -1, 9) => 1 // not there comes first";
    Case::legacy(script).get();
}

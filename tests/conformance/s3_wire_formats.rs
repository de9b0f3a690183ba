//! Wire formats (ABI reference 3).

use crate::harness::Case;

/// Each is, in silence, an empty map: written to the request's headers, it removes them all.
#[test]
fn s3_1_malformed_pairs_are_an_empty_map() {
    let malformed = [
        ("nothing", "''"),
        ("one byte", r"'\0'"),
        ("three bytes", r"'\x01\0\0'"),
        ("a count of 0", r"'\0\0\0\0'"),
        ("no lengths", r"'\x01\0\0\0'"),
        ("half of the lengths", r"'\x01\0\0\0\x01\0\0\0'"),
        ("no texts", r"'\x01\0\0\0\x01\0\0\0\x01\0\0\0'"),
        ("no value", r"'\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0'"),
        (
            "no last terminator",
            r"'\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b'",
        ),
        (
            "another terminator",
            r"'\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b\x01'",
        ),
        (
            "another terminator of a name",
            r"'\x01\0\0\0\x01\0\0\0\x01\0\0\0a\x01b\0'",
        ),
        ("bytes behind", r"'\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b\0c'"),
        (
            "a count that is too large",
            r"'\x02\0\0\0\x01\0\0\0\x01\0\0\0a\0b\0'",
        ),
        (
            "a count that wraps",
            r"'\0\0\0\x20\x01\0\0\0\x01\0\0\0a\0b\0'",
        ),
        (
            "the largest count",
            r"'\xff\xff\xff\xff\x01\0\0\0\x01\0\0\0a\0b\0'",
        ),
        (
            "a length that is too large",
            r"'\x01\0\0\0\x02\0\0\0\x01\0\0\0a\0b\0'",
        ),
        (
            "lengths that wrap",
            r"'\x01\0\0\0\xff\xff\xff\xff\x02\0\0\0a\0b\0'",
        ),
        ("more than 1 MiB", "pairs('a' many('x' 1048576))"),
    ];
    for (what, pairs) in malformed {
        let script = format!(
            "request_headers:
                get_header_map_pairs(0, out) => 0 *
                set_header_map_pairs(0, {pairs}) => 0
                get_header_map_pairs(0, out) => 0 null
                get_header_map_value(0, ':path', out) => 1
                set_header_map_pairs(0, pairs(':method' 'GET' ':path' '/' ':authority' 'a')) => 0"
        );
        eprintln!("{what}");
        Case::legacy(&script).run(|running| assert_eq!(running.get("/").status, 200, "{what}"));
    }
}

#[test]
fn s3_1_1024_pairs_are_a_map_and_1025_are_none() {
    let pairs = |count| "'x-a' 'b' ".repeat(count);
    let script = format!(
        "response_headers:
            set_header_map_pairs(2, pairs(':status' '200' {})) => 0
            get_header_map_value(2, 'x-a', out) => 0 'b'
            set_header_map_pairs(2, pairs(':status' '200' {})) => 0
            get_header_map_pairs(2, out) => 0 null
            set_header_map_pairs(2, pairs(':status' '200')) => 0",
        pairs(1023),
        pairs(1024)
    );
    Case::legacy(&script).run(|running| assert_eq!(running.get("/").status, 200));
}

#[test]
fn s3_1_malformed_headers_of_a_local_response_are_none() {
    let script = r"request_headers:
        send_local_response(403, '', 'no', '\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b', -1) => 0
        return(1)";
    Case::legacy(script).run(|running| {
        let reply = running.get("/");
        assert_eq!((reply.status.as_u16(), reply.text()), (403, "no"));
    });
}

/// With and without a NUL at the end; dots are letters like any other; an empty path is no path.
#[test]
fn s3_2_property_paths() {
    let script = r"request_headers:
        get_property('request\0method', out) => 0 'GET'
        get_property('request\0method\0', out) => 0 'GET'
        get_property('request\0headers\0x.y', out) => 0 'dotted'
        get_property('request.method', out) => 1
        get_property('request\0\0method', out) => 1
        get_property('', out) => 3
        get_property('plugin_root_id', out) => 0 'root-0'
        get_property('plugin_root_id\0', out) => 0 'root-0'
        get_property('no\xffname', out) => 1";
    Case::legacy(script).run(|running| {
        running.proxy.client().get("/", &[("x.y", "dotted")]);
    });
}

/// The whole path is the name: what has several segments cannot be read again.
#[test]
fn s3_2_set_property_takes_the_path_as_it_is() {
    let script = r"request_headers:
        set_property('mine', 'value') => 0
        get_property('mine', out) => 0 'value'
        get_property('mine\0', out) => 0 'value'
        set_property('a\0b', 'value') => 0
        get_property('a\0b', out) => 1
        set_property('mine', '') => 0
        get_property('mine', out) => 0 null";
    Case::legacy(script).get();
}

/// Numbers need no alignment.
#[test]
fn s3_4_results_are_little_endian_and_unaligned() {
    let script = "request_headers:
        get_current_time_nanoseconds(u64) => 0 *
        get_header_map_size(0, u32) => 0 *
        get_log_level(1) => 0
        get_log_level(3) => 0
        get_current_time_nanoseconds(1) => 0";
    Case::legacy(script).get();
}

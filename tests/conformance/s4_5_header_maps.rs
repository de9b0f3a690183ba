//! Header maps (ABI reference 4.5, 7.2 and 7.3).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Module, Running, both_kinds};

both_kinds!(
    values,
    edits,
    s7_2_pseudo_headers,
    s7_2_removed_pseudo_headers,
    s7_3_names_have_no_case,
    s7_3_values_that_cannot_be_sent,
    s7_3_fields_about_the_connection,
    s7_2_a_status_is_200_to_599,
    s7_2_a_response_without_content_has_none,
    unavailable_map_and_missing_key,
);

const HEADERS: &[(&str, &str)] = &[
    ("x-one", "first"),
    ("x-two", "2"),
    ("x-one", "second"),
    ("x-empty", ""),
];

fn get_with_headers(running: &Running) -> proxy_wasi_test_support::Reply {
    running.proxy.client().get("/", HEADERS)
}

/// The first of several values; an empty one is there.
fn values(kind: Kind) {
    let script = "request_headers:
        get_header_map_value(0, 'x-one', out) => 0 'first'
        get_header_map_value(0, 'x-empty', out) => 0 null | 0 ''
        get_header_map_value(0, 'x-none', out) => 1 unwritten | none
        wit get_header_map_values(0, 'x-one') => 0 'first' 'second'";
    Case::new(kind, script).run(|running| {
        get_with_headers(running);
    });
}

fn edits(kind: Kind) {
    let script = "request_headers:
        add_header_map_value(0, 'x-two', '3') // beside what is there
        add_header_map_value(0, 'x-new', 'n') // the first of its name
        replace_header_map_value(0, 'x-one', 'only') // of all values
        replace_header_map_value(0, 'x-made', 'm') // of none
        remove_header_map_value(0, 'x-empty') // all values
        remove_header_map_value(0, 'x-none') // none
        get_header_map_value(0, 'x-one', out) => 0 'only'
        get_header_map_value(0, 'x-empty', out) => 1 | none";
    Case::new(kind, script).run(|running| {
        let reply = get_with_headers(running);
        assert_eq!(reply.echoed("x-two"), ["2", "3"]);
        assert_eq!(reply.echoed("x-new"), ["n"]);
        assert_eq!(reply.echoed("x-one"), ["only"]);
        assert_eq!(reply.echoed("x-made"), ["m"]);
        assert_eq!(reply.echoed("x-empty"), [""; 0]);
    });
}

#[test]
fn pairs_and_size() {
    let script = "request_headers:
        set_header_map_pairs(0, pairs(':authority' 'a' ':path' '/' ':method' 'GET' 'x-a' 'bc'))
        get_header_map_pairs(0, out) => 0 pairs(':authority' 'a' ':path' '/' ':method' 'GET' 'x-a' 'bc')
        get_header_map_size(0, u32) => 0 32 // bytes of all names and values
        add_header_map_value(0, 'x-d', '12345')
        get_header_map_size(0, u32) => 0 40";
    Case::legacy(script).get();
}

/// In 0.2 a status; in 0.1.0 success and nothing.
#[test]
fn a_missing_key_in_0_1_0() {
    let script = "request_headers:
            get_header_map_value(0, 'x-none', out) => 0 null
            get_header_map_value(0, 'x-empty', out) => 0 null
            get_header_map_value(1, 'x-none', out) => 2 // but that map is not there
        log:
            get_header_map_value(0, 'x-none', out) => 0 null
            get_header_map_value(1, 'x-none', out) => 0 null";
    Case::legacy_0_1_0(script).run(|running| {
        get_with_headers(running);
    });
}

/// A map that is not there is a mistake, a key that is not there is an answer; the whole of a map that is not there is
/// empty.
fn unavailable_map_and_missing_key(kind: Kind) {
    let script = "request_headers:
        get_header_map_value(0, 'x-none', out) => 1 | none
        get_header_map_value(1, 'x-none', out) => 2 | unavailable
        get_header_map_value(2, 'x-none', out) => 2 | unavailable
        get_header_map_value(3, 'x-none', out) => 2 | unavailable
        get_header_map_pairs(1, out) => 0 null | unavailable
        get_header_map_pairs(2, out) => 0 null | unavailable
        add_header_map_value(2, 'x', 'y') => 2 | unavailable
        replace_header_map_value(2, 'x', 'y') => 2 | unavailable
        remove_header_map_value(2, 'x') => 2 | unavailable
        set_header_map_pairs(2, pairs('x' 'y')) => 2 | unavailable
        legacy get_header_map_size(2, u32) => 2
        legacy get_header_map_value(4, 'x', out) => 2
        legacy get_header_map_value(5, 'x', out) => 2
        legacy get_header_map_value(6, 'x', out) => 2
        legacy get_header_map_value(7, 'x', out) => 2
        legacy get_header_map_pairs(6, out) => 0 null
        legacy get_header_map_size(6, u32) => 2
        legacy add_header_map_value(6, 'x', 'y') => 2
        legacy get_header_map_value(8, 'x', out) => 2
        legacy get_header_map_pairs(8, out) => 2";
    Case::new(kind, script).get();
}

#[test]
fn root_contexts_have_no_maps() {
    let script = "configure:
        get_header_map_value(0, 'x', out) => 2
        get_header_map_pairs(0, out) => 0 null
        get_header_map_size(0, u32) => 2
        add_header_map_value(0, 'x', 'y') => 2
        replace_header_map_value(0, 'x', 'y') => 2
        remove_header_map_value(0, 'x') => 2
        set_header_map_pairs(0, pairs('x' 'y')) => 2";
    Case::legacy(script).get();
}

fn s7_2_pseudo_headers(kind: Kind) {
    let script = "request_headers:
            get_header_map_value(0, ':method', out) => 0 'GET'
            get_header_map_value(0, ':path', out) => 0 '/a?b=c'
            get_header_map_value(0, ':scheme', out) => 0 'http'
            get_header_map_value(0, ':authority', out) => 0 *
            get_header_map_value(0, ':status', out) => 1 | unavailable
            replace_header_map_value(0, ':path', '/other')
            replace_header_map_value(0, ':authority', 'example.org')
            replace_header_map_value(0, ':method', 'PUT')
            get_header_map_value(0, ':path', out) => 0 '/other'
            legacy get_header_map_value(0, 'host', out) => 0 'example.org' // shares its place
            legacy replace_header_map_value(0, 'host', 'example.com')
            legacy get_header_map_value(0, ':authority', out) => 0 'example.com'
            wit replace_header_map_value(0, ':authority', 'example.com')
        response_headers:
            get_header_map_value(2, ':status', out) => 0 '200'
            replace_header_map_value(2, ':status', '201')
            get_header_map_value(2, ':status', out) => 0 '201'";
    Case::new(kind, script).run(|running| {
        for client in [running.proxy.client(), running.proxy.http2()] {
            let reply = client.get("/a?b=c", &[]);
            assert_eq!(reply.status, 201);
            assert_eq!(reply.echo()["path"], "/other");
            assert_eq!(reply.echo()["method"], "PUT");
            assert_eq!(reply.echoed("host"), ["example.com"]);
        }
    });
}

/// Pseudo-headers come first, and `host` is among them.
#[test]
fn s7_2_pseudo_headers_of_a_whole_map() {
    let script = "request_headers:\n get_header_map_pairs(0, out) => 0 *
        response_headers:\n get_header_map_pairs(2, out) => 0 *";
    let report = Case::legacy(script).run(|running| {
        get_with_headers(running);
    });
    let names = |id: &str| -> Vec<String> {
        let answers = report.answers(id);
        let bytes = answers[0][1].strip_prefix('x').unwrap();
        let bytes = conformance_script::unhex(bytes).unwrap();
        proxy_wasi_abi::pairs::decode(&bytes)
            .map(|(name, _)| String::from_utf8(name.to_vec()).unwrap())
            .collect()
    };
    let request = names("0.1");
    let pseudo = request
        .iter()
        .take_while(|name| name.starts_with(':'))
        .count();
    assert_eq!(pseudo, 4, "{request:?}");
    assert!(!request.contains(&"host".to_owned()), "{request:?}");
    assert_eq!(request.iter().filter(|name| *name == "x-one").count(), 2);
    let counted = report.callbacks("0");
    let count = format!("request_headers 2 {} 1", request.len());
    assert!(counted.contains(&count), "{count}: {counted:?}");
    let response = names("0.2");
    assert_eq!(response[0], ":status");
    let count = format!("response_headers 2 {} 0", response.len());
    assert!(counted.contains(&count), "{count}: {counted:?}");
}

/// The edit is accepted; a request that cannot be sent then is answered with 503, a response with 502.
fn s7_2_removed_pseudo_headers(kind: Kind) {
    for name in [":path", ":method"] {
        let script = format!("request_headers:\n remove_header_map_value(0, '{name}') => 0");
        Case::new(kind, &script).run(|running| assert_eq!(running.get("/").status, 503));
    }
    let script = "response_headers:\n remove_header_map_value(2, ':status') => 0";
    Case::new(kind, script).run(|running| assert_eq!(running.get("/").status, 502));
}

#[test]
fn s7_2_set_pairs_without_pseudo_headers() {
    let script = "request_headers:\n set_header_map_pairs(0, pairs('x' 'y')) => 0";
    Case::legacy(script).run(|running| assert_eq!(running.get("/").status, 503));
    let script = "response_headers:\n set_header_map_pairs(2, pairs('x' 'y')) => 0";
    Case::legacy(script).run(|running| assert_eq!(running.get("/").status, 502));
}

fn s7_3_names_have_no_case(kind: Kind) {
    let script = "request_headers:
        get_header_map_value(0, 'X-MiXeD', out) => 0 '1'
        replace_header_map_value(0, 'X-Mixed', '2')
        add_header_map_value(0, 'X-Upper', '3')
        get_header_map_value(0, 'x-upper', out) => 0 '3'
        remove_header_map_value(0, 'X-Gone')";
    Case::new(kind, script).run(|running| {
        let reply = running
            .proxy
            .client()
            .get("/", &[("X-Mixed", "1"), ("x-gone", "1")]);
        assert_eq!(reply.echoed("x-mixed"), ["2"]);
        assert_eq!(reply.echoed("x-upper"), ["3"]);
        assert_eq!(reply.echoed("x-gone"), [""; 0]);
    });
}

/// Nothing that a plugin writes can end a line of the message.
fn s7_3_values_that_cannot_be_sent(kind: Kind) {
    let script = "request_headers:
        add_header_map_value(0, 'x-evil', 'a\\r\\nx-forged: 1') => 2 | invalid-value
        add_header_map_value(0, 'x-evil', 'a\\0b') => 2 | invalid-value
        replace_header_map_value(0, 'x-evil', 'a\\nb') => 2 | invalid-value
        add_header_map_value(0, 'x evil', 'a') => 2 | invalid-name
        add_header_map_value(0, '', 'a') => 2 | invalid-name
        replace_header_map_value(0, ':path', '/a b\\r\\n') => 2 | invalid-value
        legacy add_header_map_value(0, ':other', 'a') => 2
        add_header_map_value(0, 'x-bytes', '\\xe9') => 0";
    Case::new(kind, script).run(|running| {
        let reply = running.get("/");
        assert_eq!(reply.status, 200);
        assert_eq!(reply.echoed("x-forged"), [""; 0]);
        assert_eq!(reply.echo()["path"], "/");
    });
}

/// A second value of a well-known field becomes part of the first; pseudo-headers have one value.
#[test]
fn s7_3_add_to_a_pseudo_header() {
    let script = "request_headers:
        replace_header_map_value(0, ':path', '/a')
        add_header_map_value(0, ':path', 'b') => 0
        get_header_map_value(0, ':path', out) => 0 '/a,b'";
    Case::legacy(script).get();
}

/// What was said of a map stays true while it is edited, however it was read before.
#[test]
fn reads_see_edits() {
    let script = "request_headers:
        get_header_map_value(0, 'x-one', out) => 0 'first'
        get_header_map_value(0, 'x-one', out) => 0 'first'
        get_header_map_value(0, 'x-one', out) => 0 'first'
        get_header_map_value(0, 'x-two', out) => 0 '2'
        get_header_map_pairs(0, out) => 0 *
        replace_header_map_value(0, 'x-one', 'edited')
        get_header_map_value(0, 'x-one', out) => 0 'edited'
        remove_header_map_value(0, 'x-one')
        get_header_map_value(0, 'x-one', out) => 1
        get_header_map_value(0, 'x-one', out) => 1
        get_header_map_value(0, 'x-one', out) => 1
        add_header_map_value(0, 'x-one', 'again')
        get_header_map_value(0, 'x-one', out) => 0 'again'
        set_header_map_pairs(0, pairs(':method' 'GET' ':path' '/p' ':authority' 'h' 'x-one' 'set'))
        get_header_map_value(0, 'x-one', out) => 0 'set'
        get_header_map_value(0, ':path', out) => 0 '/p'
        get_header_map_value(0, 'host', out) => 0 'h'";
    for module in [Module::of("0_2_0"), Module::new()] {
        Case::of(&module, script).run(|running| {
            get_with_headers(running);
        });
    }
}

/// As in Envoy, plugins see them, and they go no further.
fn s7_3_fields_about_the_connection(kind: Kind) {
    for edit in [
        "add_header_map_value(2, 'transfer-encoding', 'gzip') => 0",
        "add_header_map_value(2, 'Transfer-Encoding', 'chunked') => 0
            add_header_map_value(2, 'connection', 'upgrade') => 0
            add_header_map_value(2, 'upgrade', 'websocket') => 0
            add_header_map_value(2, 'keep-alive', '9') => 0",
    ] {
        let script = format!(
            "request_headers:
                add_header_map_value(0, 'te', 'gzip') => 0
                add_header_map_value(0, 'upgrade', 'websocket') => 0
                add_header_map_value(0, 'transfer-encoding', 'chunked') => 0
                add_header_map_value(0, 'x-kept', '1') => 0
            response_headers:
                {edit}
                get_header_map_value(2, 'transfer-encoding', out) => *"
        );
        Case::new(kind, &script).run(|running| {
            let reply = running.get("/");
            assert_eq!(reply.status, 200);
            for name in ["te", "upgrade", "transfer-encoding"] {
                assert_eq!(reply.echoed(name), [""; 0], "{name}");
            }
            assert_eq!(reply.echoed("x-kept"), ["1"]);
            for name in ["transfer-encoding", "connection", "upgrade", "keep-alive"] {
                assert_eq!(reply.header(name), None, "{name}");
            }
        });
    }
}

fn s7_2_a_status_is_200_to_599(kind: Kind) {
    let statuses = ["100", "101", "199", "600", "999", "20", "2000", "ok", ""];
    let lists = statuses.map(|status| {
        format!("set_header_map_pairs(2, pairs(':status' '{status}')) => 2 | invalid-value")
    });
    let script = format!(
        "response_headers:
            {}
            set_header_map_pairs(2, pairs(':Status' '299' 'x-a' '1')) => 0",
        lists.join("\n")
    );
    Case::new(kind, &script).run(|running| {
        let reply = running.get("/");
        assert_eq!(reply.status.as_u16(), 299);
        assert_eq!(reply.header("x-a").as_deref(), Some("1"));
    });
}

/// The upstream has sent a body with a status that the plugin changes.
fn s7_2_a_response_without_content_has_none(kind: Kind) {
    for status in ["204", "304"] {
        let script =
            format!("response_headers:\n replace_header_map_value(2, ':status', '{status}') => 0");
        Case::new(kind, &script).run(|running| {
            for client in [running.proxy.client(), running.proxy.http2()] {
                let reply = client.get("/", &[]);
                assert_eq!(reply.status.as_str(), status);
                assert_eq!(reply.text(), "");
            }
        });
    }
}

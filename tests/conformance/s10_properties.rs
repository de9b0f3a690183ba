//! What properties say, and in which form (ABI reference 10, 3.3).

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Ca, Identity, Kind, Origin};
use serde_json::json;

use crate::harness::{Case, Running, Upstream, both_kinds};

both_kinds!(
    encodings,
    requests,
    responses,
    connections,
    maps,
    plugins,
    root_contexts,
    upstreams_with_tls,
    upstreams_that_show_little,
);

fn exchange(running: &Running, upstream: &Upstream) {
    let mut client = running.client();
    client.send_head(&[
        "POST /a/b?c=d#e HTTP/1.1",
        "host: example.org",
        "user-agent: tester",
        "referer: http://other/",
        "x-request-id: id-1",
        "x-two: 1",
        "x-two: 2",
        "content-length: 4",
    ]);
    client.send("body");
    let (mut peer, _) = upstream.accept();
    peer.read(4);
    peer.send_head(&["HTTP/1.1 201 Created", "content-length: 6", "x-up: 1"]);
    peer.send("answer");
    client.head();
    client.read(6);
    running.wait_for("log", 1);
}

fn run(kind: Kind, script: &str) -> crate::harness::Report {
    let upstream = Upstream::new();
    Case::new(kind, script)
        .upstream(&upstream)
        .run(|running| exchange(running, &upstream))
}

/// Numbers are eight bytes, truth is one, times are nanoseconds, text is text.
fn encodings(kind: Kind) {
    let script = r"request_headers:
        get_property('request\0method', out) => 0 'POST' | 0 text 'POST'
        get_property('request\0size', out) => 0 i64(4) | 0 signed 4
        get_property('connection\0mtls', out) => 0 '\0' | 0 boolean 0
        get_property('request\0time', out) => 0 * | 0 timestamp *
        get_property('source\0port', out) => 0 * | 0 signed *
        get_property('connection_id', out) => 0 * | 0 unsigned *";
    let report = run(kind, script);
    if kind == Kind::Legacy {
        for id in ["0.4", "0.5", "0.6"] {
            let answer = report.answers(id)[0][1].clone();
            assert_eq!(answer.len(), 1 + 16, "{id}: eight bytes, not {answer}");
        }
    }
}

fn requests(kind: Kind) {
    let script = r"request_headers:
            get_property('request\0path', out) => 0 '/a/b?c=d' | 0 text '/a/b?c=d'
            get_property('request\0url_path', out) => 0 '/a/b' | 0 text '/a/b'
            get_property('request\0query', out) => 0 'c=d' | 0 text 'c=d'
            get_property('request\0host', out) => 0 'example.org' | 0 text 'example.org'
            get_property('request\0scheme', out) => 0 'http' | 0 text 'http'
            get_property('request\0protocol', out) => 0 'HTTP/1.1' | 0 text 'HTTP/1.1'
            get_property('request\0headers\0x-two', out) => 0 '1,2' | 0 text '1,2'
            get_property('request\0headers\0x-none', out) => 1 | not-found
            get_property('request\0useragent', out) => 0 'tester' | 0 text 'tester'
            get_property('request\0referer', out) => 0 'http://other/' | 0 text 'http://other/'
            get_property('request\0id', out) => 0 'id-1' | 0 text 'id-1'
            get_property('request\0duration', out) => 1 | not-found // not complete
            get_property('request\0nothing', out) => 1 | not-found
            get_property('request', out) => * | *
            add_header_map_value(0, 'x-edit', '1')
            get_property('request\0headers\0x-edit', out) => 0 '1' | 0 text '1'
        log:
            get_property('request\0path', out) => 0 '/a/b?c=d' | 0 text '/a/b?c=d'
            get_property('request\0duration', out) => 0 * | 0 span *
            get_property('request\0total_size', out) => 0 * | 0 signed *";
    run(kind, script);
}

fn responses(kind: Kind) {
    let script = r"request_headers:
            get_property('response\0code', out) => 1 | not-found
            get_property('response\0headers\0x-up', out) => 1 | not-found
        response_headers:
            get_property('response\0code', out) => 0 i64(201) | 0 signed 201
            get_property('response\0headers\0x-up', out) => 0 '1' | 0 text '1'
            get_property('response\0size', out) => 0 i64(0) | 0 signed 0 // nothing has been sent
            get_property('request\0protocol', out) => 0 'HTTP/1.1' | 0 text 'HTTP/1.1'
        log:
            get_property('response\0code', out) => 0 i64(201) | 0 signed 201
            get_property('response\0size', out) => 0 i64(6) | 0 signed 6";
    run(kind, script);
}

fn connections(kind: Kind) {
    let script = r"request_headers:
            get_property('source\0address', out) => 0 * | 0 text *
            get_property('destination\0address', out) => 0 * | 0 text *
            get_property('destination\0port', out) => 0 * | 0 signed *
            get_property('connection\0id', out) => 0 * | 0 unsigned *
            get_property('connection\0requested_server_name', out) => 0 null | 0 text ''
            get_property('connection\0tls_version', out) => 1 | not-found
        response_headers:
            get_property('upstream\0address', out) => 0 * | 0 text *
            get_property('upstream\0port', out) => 0 * | 0 signed *";
    let upstream = Upstream::new();
    let mut expected = String::new();
    let report = Case::new(kind, script).upstream(&upstream).run(|running| {
        expected = running.proxy.address().to_string();
        exchange(running, &upstream);
    });
    let last = report.answers("0.2")[0].last().unwrap().clone();
    let bytes = conformance_script::unhex(last.strip_prefix('x').unwrap()).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

fn maps(kind: Kind) {
    let script = r"response_headers:
        remove_header_map_value(2, 'content-length')
        remove_header_map_value(2, 'date')
        get_property('response\0headers', out) => 0 * | 0 entries *";
    let report = run(kind, script);
    let words = report.answers("0.3")[0].clone();
    let has = |text: &str| {
        words
            .iter()
            .any(|word| word.contains(&conformance_script::hex(text.as_bytes())))
    };
    assert!(has("x-up"), "{words:?}");
    if kind == Kind::Legacy {
        let bytes = conformance_script::unhex(words[1].strip_prefix('x').unwrap()).unwrap();
        let mut pairs = proxy_wasi_abi::pairs::decode(&bytes);
        assert!(pairs.any(|pair| pair == (b"x-up", b"1")));
    }
}

/// In every context, possibly empty.
fn plugins(kind: Kind) {
    let calls = "get_property('plugin_name', out) => 0 'plugin-0' | 0 text 'plugin-0'
        get_property('plugin_root_id', out) => 0 'root-0' | 0 text 'root-0'
        get_property('plugin_vm_id', out) => 0 'vm-0' | 0 text 'vm-0'";
    let script = format!("configure:\n{calls}\nrequest_headers:\n{calls}\nlog:\n{calls}");
    run(kind, &script);
}

fn root_contexts(kind: Kind) {
    let script = r"configure:
        get_property('request\0path', out) => 1 | not-found
        get_property('source\0address', out) => 1 | not-found
        get_property('mine', out) => 1 | not-found";
    Case::new(kind, script).get();
}

/// A case whose upstream is behind TLS, and is asked twice.
fn run_with_tls(kind: Kind, script: &str, ca: &Ca, origin: &Origin) {
    let cluster = json!({ "name": "tls", "url": origin.url(), "tls": { "ca": ca.file() } });
    Case::new(kind, script)
        .config("clusters", json!([cluster]))
        .config("upstream", "tls")
        .run(|running| {
            for count in 1..=2 {
                assert_eq!(running.get("/").status, 200);
                running.wait_for("log", count);
            }
        });
}

fn empty(_: &proxy_wasi_test_support::Received) -> Response<Bytes> {
    Response::new(Bytes::new())
}

/// What the handshake has shown, over both versions of HTTP, on a new connection and on one that is used again. There is
/// nothing before the upstream was chosen, and we show no certificate.
fn upstreams_with_tls(kind: Kind) {
    let identity = Identity {
        names: &["127.0.0.1", "first.example", "second.example"],
        uris: &["spiffe://trust.example/first", "spiffe://second"],
        organization: Some("Example, Inc."),
        common_name: Some("caf\u{e9} "),
        version_1_2: false,
    };
    for protocols in [&["h2"][..], &["http/1.1"]] {
        let ca = Ca::new();
        let (tls, shown) = ca.server_of(&identity, protocols);
        let origin = Origin::start_tls(tls, empty);
        let escapes = [
            ("\n", "%0A"),
            (" ", "%20"),
            ("+", "%2B"),
            ("/", "%2F"),
            ("=", "%3D"),
        ];
        let pem = escapes
            .iter()
            .fold(shown.pem, |pem, (from, to)| pem.replace(from, to));
        let fields = [
            ("tls_version", "TLSv1.3"),
            (
                "subject_peer_certificate",
                r"CN=caf\\C3\\A9\\ ,O=Example\\, Inc.",
            ),
            ("dns_san_peer_certificate", "first.example"),
            ("uri_san_peer_certificate", "spiffe://trust.example/first"),
            ("sha256_peer_certificate_digest", &shown.sha256),
            ("peer_certificate", &pem),
        ];
        let known: String = fields
            .map(|(name, value)| {
                format!(
                    "get_property('upstream\\0{name}', out) => 0 '{value}' | 0 text '{value}'\n"
                )
            })
            .concat();
        let script = format!(
            r"request_headers:
                get_property('upstream\0tls_version', out) => 1 | not-found
                get_property('upstream\0subject_peer_certificate', out) => 1 | not-found
            response_headers:
                {known}
                get_property('upstream\0subject_local_certificate', out) => 0 null | 0 text ''
                get_property('upstream\0dns_san_local_certificate', out) => 1 | not-found
                get_property('upstream\0uri_san_local_certificate', out) => 1 | not-found
                get_property('upstream\0tls_version\0more', out) => 1 | not-found
                get_property('connection\0tls_version', out) => 1 | not-found
            log:
                get_property('upstream\0tls_version', out) => 0 'TLSv1.3' | 0 text 'TLSv1.3'"
        );
        run_with_tls(kind, &script, &ca, &origin);
    }
}

/// An older version, and a certificate for an address alone. Without TLS there is nothing.
fn upstreams_that_show_little(kind: Kind) {
    let identity = Identity {
        names: &["127.0.0.1"],
        version_1_2: true,
        ..Identity::default()
    };
    let ca = Ca::new();
    let (tls, _) = ca.server_of(&identity, &["http/1.1"]);
    let script = r"response_headers:
        get_property('upstream\0tls_version', out) => 0 'TLSv1.2' | 0 text 'TLSv1.2'
        get_property('upstream\0subject_peer_certificate', out) => 0 null | 0 text ''
        get_property('upstream\0dns_san_peer_certificate', out) => 1 | not-found
        get_property('upstream\0uri_san_peer_certificate', out) => 1 | not-found";
    run_with_tls(kind, script, &ca, &Origin::start_tls(tls, empty));

    let script = r"response_headers:
        get_property('upstream\0tls_version', out) => 1 | not-found
        get_property('upstream\0subject_local_certificate', out) => 1 | not-found
        get_property('upstream\0sha256_peer_certificate_digest', out) => 1 | not-found";
    run(kind, script);
}

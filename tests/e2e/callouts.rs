//! HTTP callouts: what comes of them, for streams and for root contexts.

use std::net::{TcpListener, TcpStream};

use bytes::Bytes;
use http::{Response, Version};
use proxy_wasi_test_support::{Ca, Example, Kind, Origin, Proxy, ProxyBuilder, Reply};

use crate::{both_kinds, configuration, module, proxy, text};

both_kinds!(
    an_answer_lets_a_request_pass,
    an_answer_of_any_status_is_an_answer,
    an_answer_comes_over_tls,
    connections_are_used_again,
    one_http2_connection_carries_all,
    a_timeout_is_no_answer,
    a_refused_connection_is_no_answer,
    an_answer_that_is_too_large_is_no_answer,
    an_unknown_cluster_is_refused_and_explained,
    as_many_as_allowed_at_a_time,
    a_plugin_that_may_call_anywhere,
    a_stream_may_be_over_before_its_answer,
    root_contexts_call_when_configured_and_at_ticks,
);

fn builder(kind: Kind) -> ProxyBuilder {
    proxy().arg(Example::Callout.file(kind))
}

/// An origin that answers the question `fail` with 500, others with what it was asked.
fn origin() -> Origin {
    Origin::start(|request| {
        let status = if request.path.starts_with("/fail") {
            500
        } else {
            200
        };
        let question = String::from_utf8_lossy(&request.body).into_owned();
        Response::builder()
            .status(status)
            .header("x-kind", "answer")
            .body(Bytes::from(format!("to {question}")))
            .unwrap()
    })
}

fn cluster(origin: &Origin) -> String {
    format!("auth={}", origin.url())
}

fn ask(proxy: &Proxy, path: &str, headers: &[(&str, &str)]) -> Reply {
    proxy.client().get(path, headers)
}

fn an_answer_lets_a_request_pass(kind: Kind) {
    let origin = origin();
    let h2c = format!("auth2=h2c://{}", origin.address());
    let proxy = builder(kind)
        .args(["--cluster", &cluster(&origin), "--cluster", &h2c])
        .start();
    for (name, version) in [("auth", Version::HTTP_11), ("auth2", Version::HTTP_2)] {
        let path = format!("/check/{name}/a?b=c");
        let reply = ask(&proxy, &path, &[("x-question", "why")]);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.echoed("x-answer"), ["200 answer to why "]);
        assert_eq!(reply.echo()["path"], path, "the request itself has passed");

        let asked = origin.received().pop().unwrap();
        assert_eq!(asked.method, "POST");
        assert_eq!(asked.path, "/a?b=c");
        assert_eq!(asked.version, version);
        assert_eq!(asked.body, "why");
        assert_eq!(asked.headers["x-from"], "plugin");
        assert_eq!(asked.trailers.unwrap()["x-sum"], "1");
        if version == Version::HTTP_11 {
            assert_eq!(asked.headers["host"], "callout.example");
        }
    }
}

fn an_answer_of_any_status_is_an_answer(kind: Kind) {
    let origin = origin();
    let proxy = builder(kind).args(["--cluster", &cluster(&origin)]).start();
    let reply = ask(&proxy, "/check/auth/fail", &[]);
    assert_eq!(reply.status, 403);
    assert_eq!(reply.text(), "500 answer to  ");
    assert_eq!(origin.received()[0].method, "GET");
}

fn connections_are_used_again(kind: Kind) {
    // It accepts one connection, and no other.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let cluster = format!("auth=http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        for _ in 0..3 {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .unwrap();
        }
    });
    let proxy = builder(kind).args(["--cluster", &cluster]).start();
    for _ in 0..3 {
        assert_eq!(ask(&proxy, "/check/auth/", &[]).status, 200);
    }
    served.join().unwrap();
}

fn an_answer_comes_over_tls(kind: Kind) {
    let ca = Ca::new();
    for (protocol, version) in [("h2", Version::HTTP_2), ("http/1.1", Version::HTTP_11)] {
        let tls = ca.server("127.0.0.1", &[protocol]);
        let origin = Origin::start_tls(tls, |request| Response::new(request.body.clone()));
        let file = configuration(&format!(
            "clusters: [{{name: auth, url: '{}', tls: {{ca: {}}}}}]\nplugins: [{{file: {}}}]",
            origin.url(),
            ca.file(),
            text(&Example::Callout.file(kind)),
        ));
        let proxy = proxy().arg("--config").arg(file).start();
        let reply = ask(&proxy, "/check/auth/a", &[("x-question", "why")]);
        assert_eq!(reply.echoed("x-answer"), ["200  why "], "{protocol}");
        let asked = origin.received().pop().unwrap();
        assert_eq!((asked.version, &*asked.path), (version, "/a"));
    }
}

/// Several at a time, too: the answers wait for each other.
fn one_http2_connection_carries_all(kind: Kind) {
    const AT_ONCE: usize = 3;
    let origin = Origin::gathering(AT_ONCE);
    // One connection is passed on, and no other.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let cluster = format!("auth=h2c://{}", listener.local_addr().unwrap());
    let address = origin.address();
    std::thread::spawn(move || {
        let (mut from, _) = listener.accept().unwrap();
        let mut to = TcpStream::connect(address).unwrap();
        let (mut back_from, mut back_to) = (to.try_clone().unwrap(), from.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
        std::io::copy(&mut from, &mut to)
    });
    let proxy = builder(kind).args(["--cluster", &cluster]).start();
    for _ in 0..2 {
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| assert_eq!(ask(&proxy, "/check/auth/", &[]).status, 200));
            }
        });
    }
}

fn a_timeout_is_no_answer(kind: Kind) {
    // It accepts connections, in the kernel, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let cluster = format!("auth=http://{}", silent.local_addr().unwrap());
    let proxy = builder(kind).args(["--cluster", &cluster]).start();
    let reply = ask(&proxy, "/check/auth/", &[("x-timeout", "20")]);
    assert_eq!(reply.status, 503);
    assert_eq!(reply.text(), "no answer");
    proxy.wait_for_log(&["callout failed", "no answer within 20ms"]);
}

fn a_refused_connection_is_no_answer(kind: Kind) {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let cluster = format!("auth=http://{}", closed.local_addr().unwrap());
    drop(closed);
    let proxy = builder(kind).args(["--cluster", &cluster]).start();
    let reply = ask(&proxy, "/check/auth/", &[]);
    assert_eq!(reply.status, 503);
    assert_eq!(reply.text(), "no answer");
    proxy.wait_for_log(&["callout failed", "upstream `auth`: no connection"]);
}

fn an_answer_that_is_too_large_is_no_answer(kind: Kind) {
    let origin = Origin::start(|request| {
        let size = request.path.trim_start_matches('/').parse().unwrap();
        Response::new(Bytes::from(vec![b'x'; size]))
    });
    let file = configuration(&format!(
        "clusters: [{{name: auth, url: '{}'}}]\n\
         limits: {{callout_response: 1KiB}}\n\
         plugins: [{{file: {}}}]",
        origin.url(),
        text(&Example::Callout.file(kind)),
    ));
    let proxy = proxy().arg("--config").arg(file).start();
    assert_eq!(ask(&proxy, "/check/auth/1024", &[]).status, 200);
    assert_eq!(ask(&proxy, "/check/auth/1025", &[]).status, 503);
    proxy.wait_for_log(&["more than 1024 bytes", "limits.callout_response"]);
}

fn an_unknown_cluster_is_refused_and_explained(kind: Kind) {
    let origin = origin();
    let proxy = builder(kind).args(["--cluster", &cluster(&origin)]).start();
    for _ in 0..2 {
        let reply = ask(&proxy, "/check/nobody/", &[]);
        assert_eq!(reply.status, 500);
        let reason = match kind {
            Kind::Legacy => "BadArgument",
            Kind::Wit => "unknown-cluster",
        };
        assert!(reply.text().contains(reason), "{}", reply.text());
    }
    // Places are no clusters, unless the plugin may call anywhere.
    let place = format!("/check/{}/", origin.address());
    assert_eq!(ask(&proxy, &place, &[]).status, 500);
    proxy.wait_for_log(&["callout refused", "`callouts: {allow: any}`"]);
    assert!(origin.received().is_empty());
    let log = proxy.log();
    let explained: Vec<_> = log
        .lines()
        .filter(|line| line.contains("no cluster is called `nobody`; known are `auth`"))
        .collect();
    assert_eq!(
        explained.len(),
        1,
        "said once, not with each request: {log}"
    );
}

fn as_many_as_allowed_at_a_time(kind: Kind) {
    let file = configuration(&format!(
        "clusters: [{{name: auth, url: 'http://127.0.0.1:1'}}]\n\
         limits: {{callouts: 0}}\n\
         plugins: [{{file: {}}}]",
        text(&Example::Callout.file(kind)),
    ));
    let proxy = proxy().arg("--config").arg(file).start();
    let reply = ask(&proxy, "/check/auth/", &[]);
    assert_eq!(reply.status, 500);
    let reason = match kind {
        Kind::Legacy => "InternalFailure",
        Kind::Wit => "limit-reached",
    };
    assert!(reply.text().contains(reason), "{}", reply.text());
    proxy.wait_for_log(&["callout refused", "limits.callouts"]);
}

fn a_plugin_that_may_call_anywhere(kind: Kind) {
    let origin = origin();
    let file = configuration(&format!(
        "plugins: [{{file: {}, callouts: {{allow: any}}}}]",
        text(&Example::Callout.file(kind)),
    ));
    let (host, port) = (origin.address().ip(), origin.address().port());
    for proxy in [
        builder(kind).args(["--callouts", "any"]),
        proxy().arg("--config").arg(file),
    ] {
        let proxy = proxy.start();
        for place in [format!("{host}:{port}"), format!("outbound|{port}||{host}")] {
            let reply = ask(&proxy, &format!("/check/{place}/"), &[]);
            assert_eq!(reply.status, 200, "{place}");
        }
    }
    assert_eq!(origin.received().len(), 4);
}

fn a_stream_may_be_over_before_its_answer(kind: Kind) {
    let origin = origin();
    let proxy = builder(kind).args(["--cluster", &cluster(&origin)]).start();
    for _ in 0..3 {
        assert_eq!(ask(&proxy, "/fire/auth", &[]).text(), "fired");
    }
    // The answers of the streams before have come by the time that this one's has: the VM lives.
    assert_eq!(ask(&proxy, "/check/auth/", &[]).status, 200);
    let fired = origin
        .received()
        .iter()
        .filter(|request| request.path == "/fire")
        .count();
    assert_eq!(fired, 3);
    assert!(!proxy.log().contains("trapped"), "{}", proxy.log());
}

fn root_contexts_call_when_configured_and_at_ticks(kind: Kind) {
    for moment in ["configure", "tick"] {
        let origin = origin();
        let proxy = builder(kind)
            .args(["--cluster", &cluster(&origin)])
            .args(["--plugin-config", &format!("{moment}=auth")])
            .start();
        proxy.wait_for_log(&["root: 200 answer to "]);
        assert_eq!(origin.received()[0].path, "/root");
    }
}

#[test]
fn legacy_modules_call_when_their_vm_starts() {
    let origin = origin();
    let proxy = builder(Kind::Legacy)
        .args(["--cluster", &cluster(&origin), "--vm-config", "auth"])
        .start();
    proxy.wait_for_log(&["root: 200 answer to "]);
}

/// A module that calls `auth` with these headers from `proxy_on_request_headers`, and logs the status, then what comes to
/// the root context: the token, the number of headers, and whether the stream is still there.
fn raw(headers: &[(&str, &str)], timeout: i32) -> std::path::PathBuf {
    let mut pairs = u32::try_from(headers.len()).unwrap().to_le_bytes().to_vec();
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        pairs.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        pairs.extend(text.bytes().chain([0]));
    }
    let data: String = pairs.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let size = pairs.len();
    module(&format!(
        r#"(module
            (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
            (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
            (import "env" "proxy_http_call" (func $call
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "auth")
            (data (i32.const 16) "called: 00")
            (data (i32.const 32) "token 0 headers 0 effective 0")
            (data (i32.const 256) "{data}")
            (global $stream (mut i32) (i32.const 0))
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 4096))
            (func (export "proxy_on_request_headers") (param $context i32) (param i32 i32) (result i32)
                (local $status i32)
                (global.set $stream (local.get $context))
                (local.set $status (call $call (i32.const 0) (i32.const 4) (i32.const 256) (i32.const {size})
                    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {timeout}) (i32.const 128)))
                (i32.store8 (i32.const 24) (i32.add (i32.const 48) (i32.div_u (local.get $status) (i32.const 10))))
                (i32.store8 (i32.const 25) (i32.add (i32.const 48) (i32.rem_u (local.get $status) (i32.const 10))))
                (drop (call $log (i32.const 2) (i32.const 16) (i32.const 10)))
                (i32.const 0))
            (func (export "proxy_on_http_call_response") (param $root i32) (param $token i32) (param $headers i32) (param i32 i32)
                (i32.store8 (i32.const 38) (i32.add (i32.const 48) (local.get $token)))
                (i32.store8 (i32.const 48) (i32.add (i32.const 48) (local.get $headers)))
                (i32.store8 (i32.const 60) (i32.add (i32.const 48) (call $effective (global.get $stream))))
                (drop (call $log (i32.const 2) (i32.const 32) (i32.const 29)))))"#
    ))
}

const HEADERS: [(&str, &str); 3] = [(":method", "GET"), (":path", "/"), (":authority", "a")];

/// Exactly one, to the root, in which the stream cannot be made the effective context any more (2).
#[test]
fn the_answer_to_a_dead_stream_goes_to_its_root() {
    // The answer waits until the stream is gone for good.
    let (sender, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let origin = Origin::start(move |_| {
        released.lock().unwrap().recv().unwrap();
        Response::builder()
            .header("x-a", "1")
            .body(Bytes::new())
            .unwrap()
    });
    let proxy = proxy()
        .arg(raw(&HEADERS, 60_000))
        .args(["--cluster", &cluster(&origin)])
        .start();
    assert_eq!(proxy.get("/gone").status, 200);
    proxy.wait_for_log(&["called: 00"]);
    proxy.wait_for_log(&["\"GET /gone HTTP/1.1\" 200"]);
    sender.send(()).unwrap();
    // `:status`, `x-a`, `content-length` and `date`.
    proxy.wait_for_log(&["token 4 headers 4 effective 2"]);
    proxy.terminate();
    let log = proxy.wait().stderr;
    assert_eq!(log.matches("token 4 ").count(), 1, "{log}");
}

#[test]
fn a_failure_has_no_headers() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let cluster = format!("auth=http://{}", closed.local_addr().unwrap());
    drop(closed);
    let proxy = proxy()
        .arg(raw(&HEADERS, 60_000))
        .args(["--cluster", &cluster])
        .start();
    proxy.get("/");
    proxy.wait_for_log(&["called: 00"]);
    proxy.wait_for_log(&["token 4 headers 0 effective"]);
}

/// ABI 4.9: the checks, each answered with BadArgument (2) and a reason.
#[test]
fn requests_that_are_no_requests_are_refused_and_explained() {
    let [method, path, authority] = HEADERS;
    type Case<'a> = (&'a [(&'a str, &'a str)], i32, &'a str);
    let table: [Case<'_>; 7] = [
        (&[path, authority], 0, "`:method`"),
        (&[method, authority], 0, "`:path`"),
        (&[method, path], 0, "`:authority`"),
        (
            &[method, (":path", "no slash"), authority],
            0,
            "`:path` is `no slash`",
        ),
        (
            &[method, path, (":authority", "a b")],
            0,
            "`:authority` is `a b`",
        ),
        (
            &[method, path, authority, ("a b", "c")],
            0,
            "`a b` is no name",
        ),
        (&HEADERS, -1, "timeout"),
    ];
    let origin = origin();
    for (headers, timeout, reason) in table {
        let proxy = proxy()
            .arg(raw(headers, timeout))
            .args(["--cluster", &cluster(&origin)])
            .start();
        proxy.get("/");
        proxy.wait_for_log(&["called: 02"]);
        proxy.wait_for_log(&["refused", reason]);
    }
    assert!(origin.received().is_empty());
}

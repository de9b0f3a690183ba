//! The admin endpoint: metrics of plugins and of the proxy itself.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Example, GrpcServer, Kind, Origin, Proxy};

use crate::{both_kinds, configuration, module, proxy, text};

both_kinds!(
    metrics_of_plugins_are_shared_by_workers,
    a_trap_and_its_restart_are_counted,
    local_responses_are_counted,
    callouts_are_counted_by_what_became_of_them,
    what_envoy_does_not_do_is_logged_once,
);

fn observe(kind: Kind) -> Proxy {
    proxy()
        .arg(Example::Observe.file(kind))
        .args(["--name", "observe"])
        .admin()
        .start()
}

fn metrics_of_plugins_are_shared_by_workers(kind: Kind) {
    let proxy = proxy()
        .arg(Example::Observe.file(kind))
        .workers(2)
        .admin()
        .start();
    // The kernel spreads connections by their ports: until both workers have had one.
    let mut vms = Vec::new();
    let mut requests = 0;
    while vms.len() < 2 {
        let reply = proxy.get("/four");
        requests += 1;
        assert_eq!(
            reply.header("x-count"),
            Some(requests.to_string()),
            "a plugin reads what all workers have counted"
        );
        let vm = reply.header("x-vm").unwrap();
        if !vms.contains(&vm) {
            vms.push(vm);
        }
        assert!(requests < 500, "one of the workers gets no connection");
    }
    let requests = f64::from(requests);
    for (series, value) in [
        ("wasmcustom_observe_requests", requests),
        ("wasmcustom_observe_open", 0.0),
        ("wasmcustom_observe_path_count", requests),
        ("wasmcustom_observe_path_sum", 5.0 * requests),
        ("wasmcustom_observe_path_bucket{le=\"1\"}", 0.0),
        ("wasmcustom_observe_path_bucket{le=\"5\"}", requests),
        ("proxy_wasi_workers", 2.0),
        ("proxy_wasi_requests_total{status=\"2xx\"}", requests),
        ("proxy_wasi_requests_active", 0.0),
        ("proxy_wasi_request_duration_seconds_count", requests),
    ] {
        proxy.wait_for_metric(series, value);
    }
}

fn a_trap_and_its_restart_are_counted(kind: Kind) {
    let proxy = observe(kind);
    let memory = "proxy_wasi_plugin_vm_memory_bytes{plugin=\"observe\"}";
    let before = proxy.metric(memory).unwrap();
    assert!(before >= 65536.0, "{before}");
    assert_eq!(proxy.client().get("/", &[("x-trap", "yes")]).status, 503);
    assert_eq!(proxy.get("/").status, 200);
    let traps = "proxy_wasi_plugin_traps_total{plugin=\"observe\",cause=\"unreachable\"}";
    proxy.wait_for_metric(traps, 1.0);
    proxy.wait_for_metric("proxy_wasi_plugin_restarts_total{plugin=\"observe\"}", 1.0);
    proxy.wait_for_metric(
        "proxy_wasi_plugin_crash_loops_total{plugin=\"observe\"}",
        0.0,
    );
    // The old VM is gone, and its memory with it.
    proxy.wait_for_metric("proxy_wasi_plugin_vms{plugin=\"observe\"}", 1.0);
    assert!(proxy.metric(memory).unwrap() < 2.0 * before);
    // What plugins count outlives their VMs: the request that trapped had not counted yet.
    assert_eq!(proxy.metric("wasmcustom_observe_requests"), Some(1.0));
}

fn local_responses_are_counted(kind: Kind) {
    let proxy = proxy()
        .arg(Example::Auth.file(kind))
        .args(["--name", "auth", "--plugin-config", "alice=wonderland"])
        .admin()
        .start();
    assert_eq!(proxy.get("/").status, 401);
    assert_eq!(proxy.get("/").status, 401);
    let responses = "proxy_wasi_plugin_local_responses_total{plugin=\"auth\"}";
    proxy.wait_for_metric(responses, 2.0);
    proxy.wait_for_metric("proxy_wasi_requests_total{status=\"4xx\"}", 2.0);
}

/// What no plugin sees, because the server refuses it before.
#[test]
fn refused_requests_leave_a_line_and_are_counted() {
    let proxy = observe(Kind::Wit);
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000));
    let fields = format!(
        "GET / HTTP/1.1\r\nhost: a\r\n{}\r\n",
        "x: y\r\n".repeat(101)
    );
    let table = [
        (
            "GET /twice HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n",
            "\"GET /twice HTTP/1.1\" 400 0 29 ",
        ),
        ("\x16\x03\x01 TLS?\r\n\r\n", "\"-\" 400 0 0 "),
        (&fields, "\"-\" 431 0 0 "),
        (&long, "\"-\" 414 0 0 "),
    ];
    for (sent, line) in &table {
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        let peer = client.local_addr().unwrap();
        // It may answer, and close, before it has taken all of it.
        let _ = client.write_all(sent.as_bytes());
        proxy.wait_for_log(&[&format!("{peer} {line}")]);
    }
    let refused = table.len() as f64;
    proxy.wait_for_metric("proxy_wasi_requests_total{status=\"4xx\"}", refused);
    proxy.wait_for_metric("proxy_wasi_requests_active", 0.0);
    // The plugin has seen none of them.
    assert_eq!(proxy.metric("wasmcustom_observe_requests"), Some(0.0));
}

fn what_envoy_does_not_do_is_logged_once(kind: Kind) {
    let proxy = observe(kind);
    let client = proxy.client();
    // Properties are no headers.
    client.get("/first", &[("x-read", "request.path response.code")]);
    proxy.wait_for_log(&["at the end: request.path=2f6669727374 "]);
    assert!(!proxy.log().contains("Envoy"), "{}", proxy.log());
    for request_id in ["one", "two", "three"] {
        let headers = [("x-late", "x-late"), ("x-request-id", request_id)];
        let reply = client.get("/", &headers);
        assert_eq!(reply.header("x-late").as_deref(), Some("x-late"));
    }
    // The access log's line is written after everything else of a request.
    proxy.wait_for_log(&["\"GET / HTTP/1.1\"", " three"]);
    let log = proxy.log();
    let said: Vec<_> = log.lines().filter(|line| line.contains("Envoy")).collect();
    assert_eq!(said.len(), 1, "{log}");
    for part in [
        "plugin=\"observe\"",
        "deviation=\"headers-stay-readable\"",
        "request_id=\"one\"",
    ] {
        assert!(said[0].contains(part), "no {part} in {}", said[0]);
    }
}

fn callouts_are_counted_by_what_became_of_them(kind: Kind) {
    let origin = Origin::start(|request| {
        let size = request.path.trim_start_matches('/').parse().unwrap_or(0);
        Response::new(Bytes::from(vec![b'x'; size]))
    });
    // It accepts connections, in the kernel, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let grpc = GrpcServer::start(None);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = configuration(&format!(
        "clusters:\n\
         - {{name: auth, url: '{}'}}\n\
         - {{name: silent, url: 'http://{}'}}\n\
         - {{name: closed, url: 'http://{}'}}\n\
         - {{name: echo, url: '{}'}}\n\
         limits: {{callout_response: 1KiB}}\n\
         plugins: [{{name: calls, file: {}}}]",
        origin.url(),
        silent.local_addr().unwrap(),
        closed.local_addr().unwrap(),
        grpc.url(),
        text(&Example::Callout.file(kind)),
    ));
    drop(closed);
    let proxy = proxy().arg("--config").arg(config).admin().start();
    let client = proxy.client();
    for path in [
        "/check/auth/",
        "/check/auth/",
        "/check/auth/2000",
        "/check/nobody/",
        "/check/closed/",
        "/unary/echo/hello",
        "/unary/echo/fail",
        "/unary/nobody/hello",
        "/stream/echo/a",
        "/cancel/echo",
    ] {
        client.get(path, &[]);
    }
    client.get("/check/silent/", &[("x-timeout", "20")]);
    for (labels, count) in [
        ("kind=\"http\",result=\"answered\"", 2.0),
        ("kind=\"http\",result=\"too_large\"", 1.0),
        ("kind=\"http\",result=\"refused\"", 1.0),
        ("kind=\"http\",result=\"failed\"", 1.0),
        ("kind=\"http\",result=\"timeout\"", 1.0),
        ("kind=\"grpc_call\",result=\"answered\"", 1.0),
        ("kind=\"grpc_call\",result=\"failed\"", 1.0),
        ("kind=\"grpc_call\",result=\"refused\"", 1.0),
        ("kind=\"grpc_stream\",result=\"answered\"", 1.0),
        ("kind=\"grpc_stream\",result=\"cancelled\"", 1.0),
    ] {
        let series = format!("proxy_wasi_callouts_total{{plugin=\"calls\",{labels}}}");
        proxy.wait_for_metric(&series, count);
    }
}

#[test]
fn traps_are_counted_by_cause() {
    let table = [
        ("unreachable", "unreachable"),
        ("(loop $forever (br $forever))", "timeout"),
        ("(drop (i32.load (i32.const -4)))", "out_of_bounds"),
        ("(call $deeper)", "stack_overflow"),
        (
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
            "arithmetic",
        ),
        ("(call_indirect (i32.const 0))", "bad_call"),
        ("(call $exit (i32.const 1))", "unreachable"),
    ];
    for (does, cause) in table {
        let plugin = module(&format!(
            r#"(module
                (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") 1)
                (table 1 funcref)
                (func $deeper (call $deeper))
                (func (export "proxy_abi_version_0_2_1"))
                (func (export "malloc") (param i32) (result i32) (i32.const 1024))
                (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                    {does} (i32.const 0)))"#
        ));
        let config = configuration(&format!(
            "limits: {{callback_time: 200ms}}\nplugins: [{{name: enemy, file: {}}}]",
            text(&plugin)
        ));
        let proxy = proxy().arg("--config").arg(config).admin().start();
        assert_eq!(proxy.get("/").status, 503, "{cause}");
        for (_, other) in table {
            let series =
                format!("proxy_wasi_plugin_traps_total{{plugin=\"enemy\",cause=\"{other}\"}}");
            let count = if other == cause { 1.0 } else { 0.0 };
            proxy.wait_for_metric(&series, count);
        }
    }
}

/// It starts once in the life of the proxy, and refuses to start again.
#[test]
fn a_vm_that_cannot_be_built_again_is_counted() {
    let plugin = module(
        r#"(module
            (import "env" "proxy_get_shared_data" (func $get (param i32 i32 i32 i32 i32) (result i32)))
            (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "started")
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 1024))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (local $before i32)
                (local.set $before (call $get (i32.const 0) (i32.const 7) (i32.const 64) (i32.const 68) (i32.const 72)))
                (drop (call $set (i32.const 0) (i32.const 7) (i32.const 0) (i32.const 7) (i32.const 0)))
                (i32.eq (local.get $before) (i32.const 1)))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable))"#,
    );
    let proxy = proxy().arg(plugin).args(["--name", "once"]).admin().start();
    assert_eq!(proxy.get("/").status, 503);
    proxy.wait_for_log(&["plugin VM could not be restarted", "returned false"]);
    let failures = proxy.metric("proxy_wasi_plugin_start_failures_total{plugin=\"once\"}");
    assert!(failures >= Some(1.0), "{failures:?}");
    assert_eq!(proxy.get("/").status, 503);
    proxy.wait_for_metric("proxy_wasi_plugin_restarts_total{plugin=\"once\"}", 0.0);
    proxy.wait_for_metric("proxy_wasi_plugin_vms{plugin=\"once\"}", 0.0);
}

#[test]
fn requests_are_counted_without_plugins() {
    let origin = Origin::start(|request| {
        let status = request.path.trim_start_matches('/').parse::<u16>().unwrap();
        Response::builder()
            .status(status)
            .body(Bytes::new())
            .unwrap()
    });
    let config = std::env::temp_dir().join(format!("proxy-wasi-admin-{}.yaml", std::process::id()));
    std::fs::write(&config, format!("upstream: {}\n", origin.url())).unwrap();
    let proxy = proxy().arg("--config").arg(&config).admin().start();
    std::fs::remove_file(&config).unwrap();
    for path in ["/200", "/204", "/302", "/404", "/500", "/503"] {
        proxy.get(path);
    }
    for (class, count) in [("2xx", 2.0), ("3xx", 1.0), ("4xx", 1.0), ("5xx", 2.0)] {
        proxy.wait_for_metric(
            &format!("proxy_wasi_requests_total{{status=\"{class}\"}}"),
            count,
        );
    }
    proxy.wait_for_metric("proxy_wasi_requests_active", 0.0);
}

#[test]
fn failures_of_the_upstream_are_counted_by_cause() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let proxy = proxy()
        .arg(Example::Headers.file(Kind::Wit))
        .args(["--upstream", &url])
        .admin()
        .start();
    assert_eq!(proxy.get("/").status, 503);
    proxy.wait_for_metric("proxy_wasi_upstream_failures_total{cause=\"connect\"}", 1.0);
    proxy.wait_for_metric("proxy_wasi_upstream_failures_total{cause=\"reset\"}", 0.0);
}

/// An upstream that breaks off after its head: too late to say so with a status.
#[test]
fn resets_are_counted_by_cause() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let proxy = proxy()
        .arg(Example::Observe.file(Kind::Wit))
        .args(["--upstream", &url])
        .admin()
        .start();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    let (mut broken, _) = upstream.accept().unwrap();
    broken.read_exact(&mut [0; 3]).unwrap();
    broken
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        .unwrap();
    // The head has gone on once a part of the body is there.
    client.read_exact(&mut [0; 15]).unwrap();
    drop(broken);
    client.read_to_end(&mut Vec::new()).ok();
    proxy.wait_for_metric("proxy_wasi_streams_reset_total{cause=\"upstream\"}", 1.0);
    proxy.wait_for_metric("proxy_wasi_streams_reset_total{cause=\"plugin\"}", 0.0);
    // It had a status nevertheless.
    proxy.wait_for_metric("proxy_wasi_requests_total{status=\"2xx\"}", 1.0);
}

#[test]
fn a_request_is_active_until_it_is_over() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let proxy = proxy()
        .arg(Example::Headers.file(Kind::Wit))
        .args(["--upstream", &url])
        .admin()
        .start();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    let (mut waiting, _) = upstream.accept().unwrap();
    waiting.read_exact(&mut [0; 3]).unwrap();
    assert_eq!(proxy.metric("proxy_wasi_requests_active"), Some(1.0));
    drop(client);
    proxy.wait_for_metric("proxy_wasi_requests_active", 0.0);
    proxy.wait_for_metric("proxy_wasi_requests_total{status=\"none\"}", 1.0);
}

#[test]
fn the_endpoint_only_reads() {
    let proxy = observe(Kind::Wit);
    let admin = proxy.admin();
    assert_eq!(admin.get("/ready", &[]).text(), "ready\n");
    assert!(admin.get("/", &[]).text().contains("/metrics"));
    let metrics = admin.get("/metrics", &[]);
    assert_eq!(
        metrics.header("content-type").as_deref(),
        Some("text/plain; version=0.0.4")
    );
    let head = admin.request("HEAD", "/metrics", &[], "");
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    for method in ["POST", "PUT", "DELETE"] {
        let refused = admin.request(method, "/metrics", &[], "x");
        assert_eq!(refused.status, 405);
        assert_eq!(refused.header("allow").as_deref(), Some("GET, HEAD"));
    }
    assert_eq!(admin.get("/config", &[]).status, 404);
    // Nothing of it is on the address for requests.
    assert_eq!(proxy.get("/metrics").echo()["path"], "/metrics");
}

#[test]
fn an_admin_address_that_is_taken_stops_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let failed = proxy()
        .arg(Example::Headers.file(Kind::Wit))
        .args(["--admin", &address.to_string()])
        .try_start()
        .expect_err("the address is taken");
    assert_eq!(failed.status.code(), Some(1));
    let expected = format!("cannot serve the admin endpoint on {address}");
    assert!(failed.stderr.contains(&expected), "{}", failed.stderr);
}

//! SIGTERM: open requests are finished, then the process ends well.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use proxy_wasi_test_support::{Example, Kind};

use crate::{PROXY_WASI, both_kinds, configuration, module, proxy, text};

both_kinds!(a_request_that_is_open_is_finished);

fn a_request_that_is_open_is_finished(kind: Kind) {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let proxy = proxy()
        .arg(Example::Headers.file(kind))
        .args(["--upstream", &url])
        .start();

    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    let (mut waiting, _) = upstream.accept().unwrap();
    let mut start = [0; 9];
    waiting.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"GET /slow");
    proxy.terminate();
    proxy.wait_for_log(&["SIGTERM"]);
    waiting
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
        .unwrap();

    let mut response = String::new();
    // To the end of the connection, which comes now that the proxy stops.
    client.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
    assert!(response.contains("x-plugin: headers"), "{response}");
    assert!(response.ends_with("done"), "{response}");
    let ended = proxy.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

#[test]
fn an_idle_proxy_ends_at_once() {
    let proxy = proxy().arg(Example::Headers.file(Kind::Wit)).start();
    let mut idle = TcpStream::connect(proxy.address()).unwrap();
    proxy.terminate();
    let ended = proxy.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
}

/// A module that says that it has a request, and then never returns.
const SPINS: &str = r#"(module
    (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "spinning")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) i32.const 1024)
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (drop (call $log (i32.const 2) (i32.const 0) (i32.const 8)))
        (loop $again (br $again))
        i32.const 0))"#;

#[test]
fn a_stop_ends_although_a_callback_does_not() {
    let file = configuration(&format!(
        "limits: {{callback_time: 1day}}\ntimeouts: {{drain_grace: 10ms}}\nplugins: [{{file: {}}}]",
        text(&module(SPINS))
    ));
    let proxy = proxy().arg("--config").arg(file).start();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    proxy.wait_for_log(&["spinning"]);
    proxy.terminate();
    let ended = proxy.wait();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let said = "stopped at once: something did not come to an end";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}

/// A proxy whose log lines go where the test says.
fn serve(stderr: impl Into<Stdio>, config: &str) -> (Child, TcpStream) {
    let mut child = Command::new(PROXY_WASI)
        .args(["serve", "--no-cache", "--config"])
        .arg(configuration(config))
        .args(["--listen", "127.0.0.1:0", "--workers", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    let address = ready.trim().strip_prefix("listening on http://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    (child, stream)
}

fn terminate(child: &Child) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(status.success());
}

/// So many requests on one connection, each answered before the next. Each leaves a line of 8 KB in the access log.
fn ask(stream: &mut TcpStream, requests: usize) {
    let path = "x".repeat(8000);
    for _ in 0..requests {
        write!(stream, "HEAD /{path} HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut head = BufReader::new(&mut *stream).lines();
        assert_eq!(head.next().unwrap().unwrap(), "HTTP/1.1 200 OK");
        assert!(head.any(|line| line.unwrap().is_empty()));
    }
}

#[test]
fn a_stop_ends_although_nobody_reads_the_log() {
    let (mut child, mut stream) = serve(Stdio::piped(), "timeouts: {drain_grace: 10ms}");
    // Many times what a pipe holds, and more than the writer's blocks in a row: it is stuck in writing one.
    ask(&mut stream, 100);
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_is_no_failure() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let (mut child, mut stream) = serve(full, "plugins: []");
    ask(&mut stream, 10);
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

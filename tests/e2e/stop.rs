//! SIGTERM: open requests are finished, then the process ends well.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use proxy_wasi_test_support::{Example, Kind};

use crate::{both_kinds, proxy};

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

//! Responses that begin before their request has ended.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use proxy_wasi_test_support::{Example, Kind};

use crate::{both_kinds, proxy};

both_kinds!(both_bodies_flow_at_the_same_time, a_response_may_end_first);

/// A proxy that masks digits in both bodies, before an upstream that the test plays.
fn start(kind: Kind) -> (proxy_wasi_test_support::Proxy, TcpListener) {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let proxy = proxy()
        .arg(Example::Body.file(kind))
        .args(["--plugin-config", "mode=mask", "--upstream", &url])
        .start();
    (proxy, upstream)
}

/// Reads until `end` has come, and returns all that came.
fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(end.as_bytes()) {
        let count = stream.read(&mut byte).unwrap();
        let so_far = String::from_utf8_lossy(&read);
        assert_eq!(count, 1, "the connection ended after {so_far:?}");
        read.push(byte[0]);
    }
    String::from_utf8(read).unwrap()
}

fn both_bodies_flow_at_the_same_time(kind: Kind) {
    let (proxy, upstream) = start(kind);
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    write!(
        client,
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .unwrap();
    write!(client, "5\r\nask 1\r\n").unwrap();
    let (mut origin, _) = upstream.accept().unwrap();
    read_to(&mut origin, "ask #\r\n");
    write!(
        origin,
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .unwrap();
    write!(origin, "8\r\nanswer 1\r\n").unwrap();
    let head = read_to(&mut client, "answer #\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    // Neither has ended, and each goes on when the other does.
    for _ in 0..3 {
        write!(client, "5\r\nask 2\r\n").unwrap();
        read_to(&mut origin, "ask #\r\n");
        write!(origin, "8\r\nanswer 2\r\n").unwrap();
        read_to(&mut client, "answer #\r\n");
    }
    write!(client, "0\r\n\r\n").unwrap();
    read_to(&mut origin, "0\r\n\r\n");
    write!(origin, "0\r\n\r\n").unwrap();
    read_to(&mut client, "0\r\n\r\n");
}

fn a_response_may_end_first(kind: Kind) {
    let (proxy, upstream) = start(kind);
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    write!(
        client,
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nsome"
    )
    .unwrap();
    let (mut origin, _) = upstream.accept().unwrap();
    read_to(&mut origin, "some");
    write!(
        origin,
        "HTTP/1.1 413 Content Too Large\r\ncontent-length: 7\r\n\r\nlimit 4"
    )
    .unwrap();
    let response = read_to(&mut client, "limit #");
    assert!(response.starts_with("HTTP/1.1 413"), "{response}");
}

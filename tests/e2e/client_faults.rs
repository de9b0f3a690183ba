//! Requests that fail by themselves: their clients are told, and nobody is told that the upstream has failed.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Example, Kind, Origin, Proxy};

use crate::{configuration, proxy, text};

/// With a plugin, and without.
fn served(upstream: &str) -> [Proxy; 2] {
    let plugin = Example::Headers.file(Kind::Wit);
    let plugins = [
        String::new(),
        format!("plugins: [{{file: {}}}]", text(&plugin)),
    ];
    plugins.map(|plugins| {
        let file = configuration(&format!("timeouts: {{idle: 200ms}}\n{plugins}"));
        proxy()
            .arg("--config")
            .arg(file)
            .args(["--upstream", upstream, "--log-level", "debug"])
            .start()
    })
}

/// The beginning of what comes back.
fn answer(proxy: &Proxy, request: &str) -> String {
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    let mut status = [0; 12];
    client.read_exact(&mut status).unwrap();
    String::from_utf8_lossy(&status).into_owned()
}

#[test]
fn an_upload_that_stops_is_the_clients_fault() {
    let origin = Origin::start(|_| Response::new(Bytes::new()));
    for proxy in served(&origin.url()) {
        let request = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npart";
        assert_eq!(answer(&proxy, request), "HTTP/1.1 408");
        proxy.wait_for_log(&["downstream failed", "did not go on"]);
        assert!(!proxy.log().contains("upstream failed"), "{}", proxy.log());
    }
}

#[test]
fn a_host_that_cannot_be_sent_on_is_the_clients_fault() {
    let origin = Origin::start(|_| Response::new(Bytes::new()));
    for proxy in served(&origin.h2c_url()) {
        let request = "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n";
        assert_eq!(answer(&proxy, request), "HTTP/1.1 400");
        proxy.wait_for_log(&["downstream failed", "`host`"]);
        assert!(!proxy.log().contains("upstream failed"), "{}", proxy.log());
    }
}

//! Many clients at once.

use std::io::{Read, Write};
use std::net::TcpStream;

use proxy_wasi_test_support::{Example, Kind, Origin};

use crate::{alone, proxy};

/// All streams are open at the same time: the upstream answers none before it has all.
#[test]
fn ten_thousand_streams_on_a_hundred_connections() {
    let _alone = alone();
    for kind in Kind::ALL {
        let origin = Origin::gathering(10_000);
        let upstream = origin.url().replace("http://", "h2c://");
        let proxy = proxy()
            .arg(Example::Headers.file(kind))
            .args(["--upstream", &upstream])
            .start();
        let statuses = proxy.http2().at_once(100, 100);
        assert_eq!(statuses.len(), 10_000);
        assert!(statuses.iter().all(|status| *status == 200));
    }
}

/// Clients that send their request a line at a time, all of them at once, and a quick one among them.
#[test]
fn four_thousand_slow_connections() {
    let _alone = alone();
    raise_file_limit();
    let proxy = proxy()
        .arg(Example::Headers.file(Kind::Legacy))
        .arg(Example::Headers.file(Kind::Wit))
        .start();
    let mut clients: Vec<_> = (0..4000)
        .map(|_| TcpStream::connect(proxy.address()).unwrap())
        .collect();
    for line in [
        "GET /slow HTTP/1.1\r\n",
        "host: a\r\n",
        "connection: close\r\n",
    ] {
        for client in &mut clients {
            client.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(proxy.get("/quick").status, 200);
    }
    for client in &mut clients {
        client.write_all(b"\r\n").unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        assert!(
            response.starts_with("HTTP/1.1 200 OK\r\n") && response.contains("/slow"),
            "client {number}: {response}"
        );
    }
}

/// As many open files as the system allows.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a process may raise it so far");
}

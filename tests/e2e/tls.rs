//! TLS to upstreams.

use bytes::Bytes;
use http::{Response, Version};
use proxy_wasi_test_support::{Ca, Origin, Proxy};

use crate::{configuration, proxy};

const BOTH: &[&str] = &["h2", "http/1.1"];

fn origin(ca: &Ca, name: &str, protocols: &[&str]) -> Origin {
    Origin::start_tls(ca.server(name, protocols), |request| {
        Response::new(request.body.clone())
    })
}

/// A proxy with one cluster behind TLS for all requests.
fn serve(origin: &Origin, tls: &str) -> Proxy {
    let file = configuration(&format!(
        "clusters: [{{name: secure, url: '{}', tls: {{{tls}}}}}]\nupstream: secure",
        origin.url()
    ));
    proxy().arg("--config").arg(file).start()
}

#[test]
fn the_server_chooses_the_version_of_http() {
    let table: [(&[&str], Version); 4] = [
        (BOTH, Version::HTTP_2),
        (&["h2"], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        // A server that does not take part in the choice.
        (&[], Version::HTTP_11),
    ];
    for (protocols, version) in table {
        let ca = Ca::new();
        let origin = origin(&ca, "127.0.0.1", protocols);
        let proxy = serve(&origin, &format!("ca: {}", ca.file()));
        for _ in 0..3 {
            let body: Bytes = vec![b'x'; 200_000].into();
            let reply = proxy.client().request("POST", "/path", &[], body.clone());
            assert_eq!(reply.status, 200, "{protocols:?}");
            assert_eq!(reply.body, body);
        }
        for request in origin.received() {
            assert_eq!(request.version, version, "{protocols:?}");
        }
    }
}

#[test]
fn a_server_that_nobody_vouches_for_is_no_upstream() {
    let (ca, other) = (Ca::new(), Ca::new());
    let origin = origin(&other, "127.0.0.1", BOTH);
    let proxy = serve(&origin, &format!("ca: {}", ca.file()));
    let reply = proxy.get("/");
    assert_eq!(reply.status, 503);
    assert_eq!(reply.text(), "upstream unavailable\n");
    proxy.wait_for_log(&["upstream failed", "no TLS connection", "certificate"]);
    assert!(origin.received().is_empty());
}

#[test]
fn a_certificate_must_be_for_the_name() {
    let ca = Ca::new();
    let origin = origin(&ca, "inside.example", BOTH);
    let ca = format!("ca: {}", ca.file());
    let proxy = serve(&origin, &ca);
    assert_eq!(proxy.get("/").status, 503);
    proxy.wait_for_log(&["no TLS connection", "127.0.0.1"]);
    drop(proxy);
    let proxy = serve(&origin, &format!("{ca}, server_name: inside.example"));
    assert_eq!(proxy.get("/").status, 200);
}

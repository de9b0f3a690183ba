//! Bodies of a gibibyte, past plugins and through them, in the memory of a small one.

use std::path::Path;

use proxy_wasi_test_support::{Example, Kind, Origin, Pattern, Proxy};

use crate::{alone, proxy};

const GIB: u64 = 1 << 30;

/// By how much the proxy may grow while a body passes: a small multiple of what sockets and pipes hold, far from what
/// the body has.
const GROWTH: u64 = 24 << 20;

/// What the bodies repeat, and what a plugin that masks digits makes of it.
const TEXT: &str = "card 4711 0815, valid until 12/29; ";
const MASKED: &str = "card #### ####, valid until ##/##; ";

fn past(kind: Kind) -> Proxy {
    let pattern = Pattern::new(TEXT);
    let origin = Origin::long(pattern.clone(), pattern);
    proxy()
        .arg(Example::Headers.file(kind))
        .args(["--upstream", &origin.url()])
        .start()
}

fn through(kind: Kind) -> Proxy {
    let origin = Origin::long(Pattern::new(TEXT), Pattern::new(MASKED));
    proxy()
        .arg(Example::Body.file(kind))
        .args(["--plugin-config", "mode=mask"])
        .args(["--upstream", &origin.url()])
        .start()
}

/// Sends a gibibyte each way; the other side gets `expected`.
fn gibibytes(proxy: &Proxy, expected: &str) {
    let _alone = alone();
    for client in [proxy.client(), proxy.http2()] {
        // What the first bytes take is not what more of them would.
        let small = client.upload("/", Pattern::new(TEXT).body(1 << 22));
        assert_eq!(small.text(), "right");
        let before = memory(proxy);

        let reply = client.upload("/", Pattern::new(TEXT).body(GIB));
        assert_eq!(reply.text(), "right");
        assert_eq!(reply.header("x-length"), Some(GIB.to_string()));
        let checker = Pattern::new(expected).checker();
        let (status, got) = client.download(&format!("/{GIB}"), checker);
        assert_eq!((status.as_u16(), got), (200, Ok(GIB)));

        let after = memory(proxy);
        assert!(
            after < before + GROWTH,
            "the proxy grew from {before} to {after} bytes"
        );
    }
}

/// The most memory that the proxy has ever used, in bytes.
fn memory(proxy: &Proxy) -> u64 {
    let file = Path::new("/proc").join(proxy.pid().to_string());
    let status = std::fs::read_to_string(file.join("status")).expect("it runs on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok())
        .expect("Linux tells it")
        * 1024
}

#[test]
fn past_a_legacy_module() {
    gibibytes(&past(Kind::Legacy), TEXT);
}

#[test]
fn past_a_component() {
    gibibytes(&past(Kind::Wit), TEXT);
}

#[test]
fn through_a_legacy_module() {
    gibibytes(&through(Kind::Legacy), MASKED);
}

#[test]
fn through_a_component() {
    gibibytes(&through(Kind::Wit), MASKED);
}

/// A plugin that waits for the whole body gets it up to the limit, and a client that sends more is told so.
#[test]
fn what_is_held_ends_at_the_limit() {
    let _alone = alone();
    for kind in Kind::ALL {
        let pattern = Pattern::new(TEXT);
        let origin = Origin::long(pattern.clone(), pattern.clone());
        let proxy = proxy()
            .arg(Example::Body.file(kind))
            .args(["--plugin-config", "mode=replace\nfind=nothing of it"])
            .args(["--upstream", &origin.url()])
            .start();
        let limit = 1 << 20;
        for client in [proxy.client(), proxy.http2()] {
            let fits = client.upload("/", pattern.body(limit));
            assert_eq!((fits.status.as_u16(), fits.text()), (200, "right"));
            assert_eq!(fits.header("x-length"), Some(limit.to_string()));
            let (status, got) = client.download(&format!("/{limit}"), pattern.checker());
            assert_eq!((status.as_u16(), got), (200, Ok(limit)));

            let more = client.upload("/", pattern.body(limit + 1));
            assert_eq!(more.status, 413);
            let (status, got) = client.download(&format!("/{}", limit + 1), pattern.checker());
            // A plugin that let the head go has left no status to tell it by.
            assert!(status == 500 || got.is_err(), "{status}, {got:?}");
        }
    }
}

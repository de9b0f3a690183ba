//! What every plugin of tests/guests/toolchains does; its README says it in words.

use std::path::Path;

use http::Response;
use proxy_wasi_test_support::{Client, Origin, Proxy, ProxyBuilder};

/// The configuration. Not ASCII, because languages differ in what their strings are made of.
const CONFIGURATION: &str = "Löwe";

/// How many requests follow one another, so that memory that is never freed, or freed too early, is noticed.
const REPETITIONS: usize = 100;

/// Serves the plugin and makes all kinds of requests.
pub(crate) fn check(plugin: &Path, cache: &Path) {
    let origin = Origin::start(|request| {
        Response::builder()
            .header("x-remove", "secret")
            .body(request.body.clone())
            .unwrap()
    });
    let proxy = ProxyBuilder::cached(env!("CARGO_BIN_EXE_proxy-wasi"), cache)
        .arg(plugin)
        .args(["--plugin-config", CONFIGURATION, "--root-id", "toolchain"])
        .args(["--upstream", &origin.url()])
        .start();
    proxy.wait_for_log(&[&format!("configured: {CONFIGURATION}")]);
    for client in [proxy.client(), proxy.http2()] {
        edits_headers(&client, &origin, &proxy);
        edits_bodies(&client, &proxy);
        answers_itself(&client, &origin);
    }
    goes_on(&proxy);
    ends_well(proxy);
}

fn edits_headers(client: &Client, origin: &Origin, proxy: &Proxy) {
    let reply = client.get("/page?q=1", &[("x-who", "tester")]);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["x-configured"], CONFIGURATION.as_bytes());
    assert_eq!(reply.header("x-remove"), None);
    let request = origin.received().pop().expect("it has arrived");
    assert_eq!(request.path, "/page?q=1");
    assert_eq!(request.headers["x-plugin"], "toolchain");
    proxy.wait_for_log(&["request: /page?q=1 from tester"]);
}

fn edits_bodies(client: &Client, proxy: &Proxy) {
    let reply = client.request("POST", "/short", &[], "one cat, two cats\n");
    assert_eq!(
        reply.text(),
        format!("one {CONFIGURATION}, two {CONFIGURATION}s\n")
    );
    proxy.wait_for_log(&["bytes: 18"]);

    // In several pieces, with a word across any of their borders.
    let reply = client.request("PUT", "/long", &[], "cat".repeat(70_000));
    let expected = CONFIGURATION.repeat(70_000);
    let (got, wanted) = (reply.body.len(), expected.len());
    assert!(reply.body == expected, "{got} bytes, expected {wanted}");
    proxy.wait_for_log(&["bytes: 210000"]);
}

fn answers_itself(client: &Client, origin: &Origin) {
    let before = origin.received().len();
    let reply = client.get("/deny", &[]);
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("x-denied-by").as_deref(), Some("toolchain"));
    assert_eq!(reply.text(), "denied\n");
    assert_eq!(origin.received().len(), before);
}

fn goes_on(proxy: &Proxy) {
    for round in 0..REPETITIONS {
        let body = "x".repeat(round);
        let reply = proxy.client().request("POST", "/again", &[], body.clone());
        assert_eq!(reply.text(), body);
    }
    proxy.wait_for_lines("bytes: ", REPETITIONS + 6);
}

/// Stops the proxy, which must end in order and must not have logged an error.
pub(crate) fn ends_well(proxy: Proxy) {
    proxy.terminate();
    let ended = proxy.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let errors: Vec<_> = ended
        .stderr
        .lines()
        .filter(|line| line.contains("ERROR"))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

//! Each example does what its page says, as a legacy module and as a component, over HTTP/1 and HTTP/2.

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Example, Kind, LEGACY_RUST_HEADERS_UNKNOWN, Origin, Proxy};

use crate::{both_kinds, proxy, serve};

both_kinds!(
    headers_adds_and_removes_fields,
    headers_logs_the_exchange,
    config_shows_configurations_and_properties,
    config_refuses_what_it_cannot_read,
    auth_answers_itself,
    auth_passes_known_users_without_their_credentials,
    auth_looks_at_every_credential,
    auth_hides_a_failed_upstream,
);

fn headers_adds_and_removes_fields(kind: Kind) {
    let origin = Origin::start(|_| {
        Response::builder()
            .header("server", "secret")
            .body(Bytes::from("hello"))
            .unwrap()
    });
    let proxy = proxy()
        .arg(Example::Headers.file(kind))
        .args(["--upstream", &origin.url()])
        .start();
    for client in [proxy.client(), proxy.http2()] {
        let reply = client.get(
            "/a?b=c",
            &[("user-agent", "tester"), ("x-request-id", "id-1")],
        );
        assert_eq!(reply.status, 200);
        assert_eq!(reply.text(), "hello");
        assert_eq!(reply.header("x-plugin").as_deref(), Some("headers"));
        assert_eq!(reply.header("server"), None);
        assert_eq!(reply.header("content-length").as_deref(), Some("5"));
    }
    let received = origin.received();
    assert_eq!(received.len(), 2);
    for request in received {
        assert_eq!(request.path, "/a?b=c");
        assert_eq!(request.headers["x-client"], "tester id-1");
        assert_eq!(request.headers["x-request-id"], "id-1");
    }
}

fn headers_logs_the_exchange(kind: Kind) {
    let proxy = proxy()
        .arg(Example::Headers.file(kind))
        .args(["--log-level", "debug", "--name", "mine"])
        .start();
    proxy.client().get("/logged", &[("x-request-id", "id-2")]);
    let line = proxy.wait_for_log(&["GET /logged 200"]);
    assert!(
        line.contains("plugin=\"mine\"") && line.contains("request_id=\"id-2\""),
        "{line}"
    );
}

#[test]
fn headers_of_the_other_target_of_the_rust_sdk() {
    let proxy = proxy().arg(LEGACY_RUST_HEADERS_UNKNOWN).start();
    let reply = proxy.get("/");
    assert_eq!(reply.header("x-plugin").as_deref(), Some("headers"));
    assert_eq!(reply.echoed("x-client").len(), 1);
}

fn config(kind: Kind, configuration: &str) -> proxy_wasi_test_support::ProxyBuilder {
    proxy()
        .arg(Example::Config.file(kind))
        .args(["--plugin-config", configuration])
        .args([
            "--vm-config",
            "colour=blue\nshape=round",
            "--root-id",
            "the-root",
            "--name",
            "the-name",
        ])
}

fn config_shows_configurations_and_properties(kind: Kind) {
    let proxy: Proxy = config(kind, "colour=red").start();
    let reply = proxy.get("/some/path?q=1");
    let shown = |name: &str| {
        reply
            .header(name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", reply.headers))
    };
    assert_eq!(shown("x-config-colour"), "red");
    assert_eq!(shown("x-config-shape"), "round");
    assert_eq!(shown("x-plugin-name"), "the-name");
    assert_eq!(shown("x-plugin-root-id"), "the-root");
    assert_eq!(shown("x-request-path"), "/some/path?q=1");
    assert!(shown("x-source-address").starts_with("127.0.0.1:"));
    assert_eq!(
        shown("x-destination-port"),
        proxy.address().port().to_string()
    );
}

fn config_refuses_what_it_cannot_read(kind: Kind) {
    let failed = config(kind, "no setting")
        .try_start()
        .expect_err("the configuration is wrong");
    assert_eq!(failed.status.code(), Some(1));
    let errors: Vec<_> = failed
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "{}", failed.stderr);
    assert!(
        errors[0].contains("plugin `the-name` did not start"),
        "{}",
        failed.stderr
    );
    // Why is in the plugin's own words: logged by the legacy module, returned by the component.
    assert!(
        failed.stderr.contains("configuration: "),
        "{}",
        failed.stderr
    );
}

fn auth(kind: Kind) -> Proxy {
    proxy()
        .arg(Example::Auth.file(kind))
        .args(["--plugin-config", "alice=wonderland"])
        .start()
}

fn auth_answers_itself(kind: Kind) {
    let proxy = auth(kind);
    for client in [proxy.client(), proxy.http2()] {
        let none = client.get("/", &[]);
        assert_eq!(none.status, 401);
        assert_eq!(none.text(), "credentials needed\n");
        assert_eq!(
            none.header("www-authenticate").as_deref(),
            Some("Bearer realm=\"proxy-wasi\"")
        );
        assert_eq!(none.header("content-type").as_deref(), Some("text/plain"));
        assert_eq!(none.header("content-length").as_deref(), Some("19"));

        let wrong = client.get("/", &[("authorization", "Bearer guess")]);
        assert_eq!(wrong.status, 403);
        assert_eq!(wrong.text(), "credentials refused\n");

        let posted = client.request("POST", "/", &[], vec![b'x'; 300_000]);
        assert_eq!(posted.status, 401);
    }
}

fn auth_passes_known_users_without_their_credentials(kind: Kind) {
    let proxy = auth(kind);
    let reply = proxy.client().request(
        "PUT",
        "/thing",
        &[("authorization", "Bearer wonderland")],
        "content",
    );
    assert_eq!(reply.status, 200);
    assert_eq!(reply.echoed("x-user"), ["alice"]);
    assert_eq!(reply.echoed("authorization"), [""; 0]);
    assert_eq!(reply.echo()["method"], "PUT");
    assert_eq!(reply.echo()["body"]["text"], "content");
}

fn auth_looks_at_every_credential(kind: Kind) {
    let proxy = auth(kind);
    let credentials = [
        ("authorization", "Bearer wonderland"),
        ("authorization", "Bearer guess"),
    ];
    assert_eq!(proxy.client().get("/", &credentials).status, 403);
}

fn auth_hides_a_failed_upstream(kind: Kind) {
    let origin = Origin::start(|_| {
        Response::builder()
            .status(500)
            .body(Bytes::from("stack trace"))
            .unwrap()
    });
    let proxy = proxy()
        .arg(Example::Auth.file(kind))
        .args([
            "--plugin-config",
            "alice=wonderland",
            "--upstream",
            &origin.url(),
        ])
        .start();
    let reply = proxy
        .client()
        .get("/", &[("authorization", "Bearer wonderland")]);
    assert_eq!(reply.status, 502);
    assert_eq!(reply.text(), "the service has failed\n");
}

#[test]
fn both_kinds_of_an_example_answer_alike() {
    for example in [Example::Headers, Example::Config] {
        let [legacy, wit] = Kind::ALL.map(|kind| {
            let reply = serve(example, kind)
                .client()
                .get("/same", &[("x-request-id", "same"), ("host", "same")]);
            let mut headers = reply.headers.clone();
            for volatile in [
                "date",
                "x-source-address",
                "x-destination-port",
                "x-plugin-name",
            ] {
                headers.remove(volatile);
            }
            (reply.status, headers, reply.body)
        });
        assert_eq!(legacy, wit, "{example:?}");
    }
}

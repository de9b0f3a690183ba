//! `legacy-rust-body` and `wit-rust-body` do what their page says.

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Example, Kind, Origin, Proxy, Trailers};

use crate::{both_kinds, proxy};

both_kinds!(
    replace_waits_for_the_whole_body,
    replace_edits_a_body_with_trailers,
    replace_refuses_what_outgrows_the_limit,
    mask_edits_each_piece,
    digest_adds_a_trailer,
    only_the_messages_asked_for_are_touched,
    wrong_settings_are_refused,
);

fn serve(kind: Kind, configuration: &str, origin: &Origin) -> Proxy {
    proxy()
        .arg(Example::Body.file(kind))
        .args([
            "--plugin-config",
            configuration,
            "--upstream",
            &origin.h2c_url(),
        ])
        .start()
}

fn echo() -> Origin {
    Origin::start(|request| {
        let mut response = Response::new(Bytes::clone(&request.body));
        if let Some(trailers) = &request.trailers {
            response.extensions_mut().insert(Trailers(trailers.clone()));
        }
        response
    })
}

fn replace_waits_for_the_whole_body(kind: Kind) {
    let origin = echo();
    let proxy = serve(kind, "mode=replace\nfind=needle\nwith=pin", &origin);
    for client in [proxy.client(), proxy.http2()] {
        let pieces = ["hay nee", "dle hay ", "needle", ""];
        let reply = client.post("/", &[], &pieces, &[]).unwrap();
        assert_eq!(origin.received().pop().unwrap().body, "hay pin hay pin");
        assert_eq!(reply.text(), "hay pin hay pin");

        // With a length, which no longer holds.
        let reply = client.request("POST", "/", &[], "needle");
        assert_eq!(reply.text(), "pin");
    }
}

fn replace_edits_a_body_with_trailers(kind: Kind) {
    let origin = echo();
    let proxy = serve(kind, "mode=replace\nfind=a\nwith=bb", &origin);
    let trailers = [("x-last", "yes")];
    let reply = proxy
        .http2()
        .post("/", &[("te", "trailers")], &["a", "a"], &trailers);
    let reply = reply.unwrap();
    assert_eq!(reply.text(), "bbbb");
    assert_eq!(reply.trailer("x-last"), Some("yes"));
}

fn replace_refuses_what_outgrows_the_limit(kind: Kind) {
    let origin = Origin::start(|request| {
        let size = if request.path == "/large" {
            3_000_000
        } else {
            0
        };
        Response::new(Bytes::from(vec![b'x'; size]))
    });
    let proxy = serve(kind, "mode=replace\nfind=y", &origin);
    for client in [proxy.client(), proxy.http2()] {
        let reply = client.request("POST", "/", &[], vec![b'x'; 3_000_000]);
        assert_eq!(reply.status, 413);
    }
    // The response's head has gone by then.
    let reply = proxy.http2().post("/large", &[], &[""], &[]);
    assert!(reply.is_err(), "{:?}", reply.map(|reply| reply.status));
}

fn mask_edits_each_piece(kind: Kind) {
    let origin = echo();
    let proxy = serve(kind, "mode=mask", &origin);
    for client in [proxy.client(), proxy.http2()] {
        let body = "card 1234\n".repeat(50_000);
        let reply = client.request("POST", "/", &[], body.clone());
        assert!(reply.body == body.replace(char::is_numeric, "#"));
        let length = body.len().to_string();
        assert_eq!(reply.header("content-length"), Some(length));
    }
}

fn digest_adds_a_trailer(kind: Kind) {
    // RFC 9530, appendix B.1.
    const BODY: &str = "{\"hello\": \"world\"}\n";
    const DIGEST: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    let origin = echo();
    let proxy = serve(kind, "mode=digest", &origin);
    for client in [proxy.client(), proxy.http2()] {
        // Over HTTP/1 trailers come to those who ask for them.
        let reply = client.request("POST", "/", &[("te", "trailers")], BODY);
        assert_eq!(reply.text(), BODY);
        assert_eq!(reply.trailer("content-digest"), Some(DIGEST));
        let received = origin.received().pop().unwrap();
        assert_eq!(received.trailers.unwrap()["content-digest"], DIGEST);
    }
    // Beside trailers that are there anyway.
    let trailers = [("x-last", "yes")];
    let pieces = BODY.split_at(7);
    let reply = proxy
        .http2()
        .post("/", &[], &[pieces.0, pieces.1], &trailers)
        .unwrap();
    assert_eq!(reply.trailer("content-digest"), Some(DIGEST));
    assert_eq!(reply.trailer("x-last"), Some("yes"));
}

fn only_the_messages_asked_for_are_touched(kind: Kind) {
    let origin = echo();
    let proxy = serve(kind, "mode=mask\nof=requests", &origin);
    proxy.client().request("POST", "/", &[], "1");
    assert_eq!(origin.received().pop().unwrap().body, "#");

    let proxy = serve(kind, "mode=mask\nof=responses", &origin);
    let reply = proxy.client().request("POST", "/", &[], "1");
    assert_eq!(origin.received().pop().unwrap().body, "1");
    assert_eq!(reply.text(), "#");
}

fn wrong_settings_are_refused(kind: Kind) {
    let failed = proxy()
        .arg(Example::Body.file(kind))
        .args(["--plugin-config", "mode=replace"])
        .try_start()
        .expect_err("there is nothing to find");
    assert!(
        failed.stderr.contains("needs `find=TEXT`"),
        "{}",
        failed.stderr
    );
}

//! Requests that two servers could read differently never reach the upstream (RFC 9112, 6 and 11.2).

use super::support::{Proxy, Upstream, run};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Expects `status` and the end of the connection for each request.
fn refuse(status: u16, requests: &[String]) {
    run(async {
        let (upstream, last) = Upstream::answering(OK).await;
        let proxy = Proxy::start(&upstream.http());
        for request in requests {
            let answer = proxy.exchange(request).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{request:?} got {answer:?}"
            );
            assert_eq!(
                answer.matches("HTTP/1.1 ").count(),
                1,
                "{request:?} got {answer:?}"
            );
            assert_eq!(*last.borrow(), "", "{request:?} arrived");
        }
    });
}

fn post(fields: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    )
}

#[test]
fn refuses_two_framings() {
    refuse(
        400,
        &[
            post("Content-Length: 5\r\nTransfer-Encoding: chunked"),
            post("Transfer-Encoding: chunked\r\nContent-Length: 5"),
            post("Transfer-Encoding: chunked\r\nX-A: b\r\ncontent-length: 0"),
            post("Content-Length: 5\r\nContent-Length: 5"),
            post("Content-Length: 5\r\nContent-Length: 6"),
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            post("Transfer-Encoding: chunked, chunked"),
        ],
    );
}

#[test]
fn refuses_lengths_that_are_not_numbers() {
    let lengths = [
        "",
        "+5",
        "-5",
        "5,5",
        "5, 6",
        "0x5",
        "5 5",
        "five",
        "18446744073709551616",
    ];
    let requests: Vec<_> = lengths
        .iter()
        .map(|length| post(&format!("Content-Length: {length}")))
        .collect();
    refuse(400, &requests);
}

#[test]
fn refuses_codings_it_cannot_undo() {
    refuse(
        400,
        &[
            post("Transfer-Encoding: gzip"),
            post("Transfer-Encoding: chunked, identity"),
            post("Transfer-Encoding: \x0bchunked"),
            post("Transfer-Encoding: xchunked"),
            post("Transfer-Encoding: \"chunked\""),
            post("Transfer-Encoding: chunked;a=b"),
            post("Transfer-Encoding: \r\nContent-Length: 5"),
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        ],
    );
    refuse(501, &[post("Transfer-Encoding: gzip, chunked")]);
}

#[test]
fn refuses_heads_that_are_not_http() {
    refuse(
        400,
        &[
            post("Transfer-Encoding : chunked"),
            post("Content-Length\t: 5"),
            post("Content-Length:\r\n 5"),
            post(" Content-Length: 5"),
            post("X: a\r\n b"),
            post("X: a\0b"),
            post("X: a\rContent-Length: 5"),
            post("no colon"),
            "GET / HTTP/1.1\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(),
            "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "GET a HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "GET / HTTP/1.2\r\nHost: a\r\n\r\n".to_owned(),
            "GET / HTTP/3.0\r\nHost: a\r\n\r\n".to_owned(),
            "GE\x01T / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        ],
    );
}

#[test]
fn limits_the_head() {
    let many = "X: y\r\n".repeat(101);
    refuse(
        431,
        &[
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
                "x".repeat(70_000)
            ),
            format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"),
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(62_000)),
        ],
    );
}

#[test]
fn a_good_request_before_a_bad_one_is_served() {
    run(async {
        let (upstream, last) = Upstream::answering(OK).await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        client
            .send(
                "POST /good HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
                 POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
                 GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
            )
            .await;
        assert_eq!(client.read_message().await.status(), 200);
        let refusal = client.read_message().await;
        assert_eq!(refusal.status(), 400);
        assert_eq!(refusal.field("connection"), Some("close"));
        assert!(client.is_closed().await);
        assert!(last.borrow().starts_with("POST /good "));
    });
}

#[test]
fn a_body_that_breaks_off_does_not_look_complete() {
    let bodies = [
        "3\r\nabc\r\nX\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        "11111111111111111\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        // Where a line ends must not be a matter of opinion.
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3;a\nbc\r\nabc\r\n0\r\n\r\n",
        "3;a\rbc\r\nabc\r\n0\r\n\r\n",
    ];
    for body in bodies {
        let request =
            format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        run(async {
            let (done, complete) = tokio::sync::oneshot::channel();
            let done = std::cell::RefCell::new(Some(done));
            let upstream = Upstream::start(move |_, mut connection| {
                let done = done.take();
                async move {
                    let seen = connection.read_to_end().await;
                    let _ = done.unwrap().send(seen);
                }
            })
            .await;
            let proxy = Proxy::start(&upstream.http());
            let mut client = proxy.connect().await;
            client.send(&request).await;
            // What the client is told depends on how far the request was; it is not a success.
            let answer = client.read_to_end().await;
            assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
            let seen = complete.await.unwrap();
            assert!(
                !seen.ends_with("\r\n0\r\n\r\n"),
                "{request:?} became {seen:?}"
            );
        });
    }
}

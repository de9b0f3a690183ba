//! Fields behind a body, of which not all are passed on.

use http::HeaderMap;
use http_body_util::BodyExt;

use super::h2_peers::{H2Upstream, connect, frames, get};
use super::support::{Proxy, Upstream, run};

const TRAILERS: &str = "0\r\nConnection: x\r\nTE: y\r\nKeep-Alive: z\r\nTransfer-Encoding: chunked\r\n\
    Content-Length: 3\r\nHost: b\r\nTrailer: x-sum\r\nX-Sum: 1\r\n\r\n";

/// What is to be left of [`TRAILERS`].
fn only_the_sum() -> HeaderMap {
    let mut left = HeaderMap::new();
    left.insert("x-sum", http::HeaderValue::from_static("1"));
    left
}

#[test]
fn connection_and_framing_are_stripped_from_a_responses_trailers() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            while connection.try_read_message().await.is_some() {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
                connection.send(format!("{head}{TRAILERS}")).await;
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = connect(proxy.address).await;
        let response = client.send_request(get("/")).await.unwrap();
        let collected = response.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers(), Some(&only_the_sum()));
        assert_eq!(collected.to_bytes(), "abc");
    });
}

#[test]
fn connection_and_framing_are_stripped_from_a_requests_trailers() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            let collected = request.into_body().collect().await.unwrap();
            assert_eq!(collected.trailers(), Some(&only_the_sum()));
            let (_, body) = frames();
            http::Response::new(body)
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let response = proxy
            .connect()
            .await
            .exchange(format!(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n{TRAILERS}"
            ))
            .await;
        assert_eq!(response.status(), 200);
    });
}

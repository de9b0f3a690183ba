//! Requests that meet the end of a connection on which others were answered.

use std::time::Duration;

use super::support::{Proxy, Upstream, run};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Each connection is answered once, and closed when it is asked again.
async fn forgetful() -> Upstream {
    Upstream::start(|_, mut connection| async move {
        connection.read_message().await;
        connection.send(OK).await;
        connection.read_message().await;
    })
    .await
}

/// The status of a second request, on a connection that has been idle for some time, and how many connections it took.
async fn second(request: &str) -> (u16, usize) {
    let upstream = forgetful().await;
    let proxy = Proxy::start(&upstream.http());
    let mut client = proxy.connect().await;
    let first = client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(first.status(), 200);
    // No connection that has just been used is suspected.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let status = client.exchange(request).await.status();
    (status, upstream.connections.get())
}

#[test]
fn a_safe_request_without_a_body_is_sent_again() {
    run(async {
        for method in ["GET", "OPTIONS"] {
            let request = format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_eq!(second(&request).await, (200, 2), "{method}");
        }
    });
}

#[test]
fn other_requests_are_not_sent_again() {
    run(async {
        for request in [
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
        ] {
            assert_eq!(second(request).await, (503, 1), "{request}");
        }
    });
}

#[test]
fn a_request_is_sent_again_once() {
    run(async {
        let upstream = Upstream::start(|number, mut connection| async move {
            connection.read_message().await;
            if number == 0 {
                connection.send(OK).await;
                connection.read_message().await;
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(client.exchange(request).await.status(), 200);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(client.exchange(request).await.status(), 503);
        assert_eq!(upstream.connections.get(), 2);
    });
}

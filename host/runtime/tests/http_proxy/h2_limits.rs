//! What the streams of one HTTP/2 connection share: its window, and how many of them there may be.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::BodyExt;
use proxy_wasi_runtime::upstream::UpstreamOptions;

use super::h2_peers::{H2Upstream, connect, connect_with_window, echo, get, text, whole};
use super::support::{Options, Proxy, eventually, run};

/// Larger than any window.
const LARGE: usize = 8 * 1024 * 1024;
/// Exchanges, enough for windows to run out meanwhile.
const MANY: usize = 300;

#[test]
fn responses_that_nobody_reads_do_not_stop_others() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            let large = request.uri().path() == "/large";
            http::Response::new(whole(if large { vec![0; LARGE] } else { vec![0] }))
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let mut slow = connect_with_window(proxy.address, 1000).await;
        let mut unread = Vec::new();
        for _ in 0..8 {
            unread.push(slow.send_request(get("/large")).await.unwrap());
        }
        let mut client = connect(proxy.address).await;
        for _ in 0..MANY {
            let response = client.send_request(get("/")).await.unwrap();
            assert_eq!(response.status(), 200);
            response.into_body().collect().await.unwrap();
        }
        assert_eq!(upstream.connections.get(), 1);
    });
}

#[test]
fn uploads_that_nobody_reads_do_not_stop_others() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            if request.uri().path() == "/large" {
                std::future::pending::<()>().await;
            }
            echo(request).await
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let mut client = connect(proxy.address).await;
        for _ in 0..4 {
            let mut client = client.clone();
            let request = get("/large").map(|_| whole(vec![0; LARGE]));
            tokio::task::spawn_local(async move { client.send_request(request).await });
        }
        eventually(|| proxy.pending.get() == 4).await;
        for _ in 0..MANY {
            let request = get("/").map(|_| whole("x"));
            let response = client.send_request(request).await.unwrap();
            assert_eq!(text(response).await, "x");
        }
    });
}

#[test]
fn more_streams_than_a_connection_may_have_get_more_connections() {
    run(async {
        let together = Rc::new(tokio::sync::Barrier::new(5));
        let upstream = H2Upstream::start_with(Some(2), move |request| {
            let together = Rc::clone(&together);
            async move {
                // Nobody is answered before all have asked.
                together.wait().await;
                echo(request).await
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let client = connect(proxy.address).await;
        for _ in 0..2 {
            let exchanges = (0..5).map(|number| {
                let mut client = client.clone();
                let request = get("/").map(|_| whole(number.to_string()));
                tokio::task::spawn_local(async move {
                    let response = client.send_request(request).await.unwrap();
                    assert_eq!(text(response).await, number.to_string());
                })
            });
            for exchange in exchanges.collect::<Vec<_>>() {
                exchange.await.unwrap();
            }
        }
        assert_eq!(upstream.connections.get(), 3);
    });
}

#[test]
fn a_request_without_a_stream_is_not_sent() {
    run(async {
        let upstream = H2Upstream::start_with(Some(0), echo).await;
        let proxy = Proxy::start_with(&upstream.url(), impatient(UpstreamOptions::default()));
        let mut client = connect(proxy.address).await;
        for _ in 0..3 {
            let response = client.send_request(get("/")).await.unwrap();
            assert_eq!(response.status(), 503);
        }
        // Each tries whether the server has changed its mind.
        assert_eq!(upstream.connections.get(), 3);
    });
}

#[test]
fn http2_connections_count() {
    run(async {
        let open = Rc::new(Cell::new(0));
        let counter = Rc::clone(&open);
        let upstream = H2Upstream::start_with(Some(1), move |request| {
            counter.set(counter.get() + 1);
            async move {
                if request.uri().path() == "/wait" {
                    std::future::pending::<()>().await;
                }
                echo(request).await
            }
        })
        .await;
        let options = UpstreamOptions {
            max_connections_per_cluster: 1,
            ..UpstreamOptions::default()
        };
        let proxy = Proxy::start_with(
            &upstream.url(),
            Options {
                upstream: options,
                ..Options::default()
            },
        );
        let client = connect(proxy.address).await;
        let mut waiting = client.clone();
        let waiting =
            tokio::task::spawn_local(async move { waiting.send_request(get("/wait")).await });
        eventually(|| open.get() == 1).await;
        let refused = client.clone().send_request(get("/")).await.unwrap();
        assert_eq!(refused.status(), 503);
        assert_eq!(
            text(refused).await,
            "upstream `origin`: too many connections\n"
        );
        waiting.abort();
        eventually(|| proxy.pending.get() == 0).await;
        let served = client.clone().send_request(get("/")).await.unwrap();
        assert_eq!(served.status(), 200);
    });
}

fn impatient(upstream: UpstreamOptions) -> Options {
    Options {
        upstream: UpstreamOptions {
            response_timeout: Duration::from_millis(300),
            ..upstream
        },
        ..Options::default()
    }
}

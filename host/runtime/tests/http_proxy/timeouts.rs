//! Clients that take their time.

use std::time::Duration;

use proxy_wasi_runtime::server::ServerOptions;
use proxy_wasi_runtime::upstream::UpstreamOptions;

use super::support::{Options, Proxy, Upstream, eventually, run};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const SHORT: Duration = Duration::from_millis(100);

fn with_server(server: ServerOptions) -> Options {
    Options {
        server,
        ..Options::default()
    }
}

#[test]
fn a_head_must_come_in_time() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let options = with_server(ServerOptions {
            header_read_timeout: SHORT,
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        // Nothing, a part, and a part after a whole request.
        let mut silent = proxy.connect().await;
        assert!(silent.is_closed().await);
        let mut slow = proxy.connect().await;
        slow.send("GET / HTTP/1.1\r\nHos").await;
        assert!(slow.is_closed().await);
        let mut second = proxy.connect().await;
        second.exchange(GET).await;
        second.send("G").await;
        assert!(second.is_closed().await);
    });
}

#[test]
fn trickling_does_not_extend_the_time_for_a_head() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let options = with_server(ServerOptions {
            header_read_timeout: SHORT,
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        let trickle = async {
            client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ").await;
            while tokio::io::AsyncWriteExt::write_all(&mut client.stream, b"x")
                .await
                .is_ok()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), trickle)
            .await
            .unwrap();
    });
}

#[test]
fn an_idle_connection_is_closed_but_not_for_want_of_a_head() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let options = with_server(ServerOptions {
            header_read_timeout: SHORT,
            keep_alive_timeout: Duration::from_millis(800),
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        assert_eq!(client.exchange(GET).await.status(), 200);
        tokio::time::sleep(SHORT * 3).await;
        let before = tokio::time::Instant::now();
        assert_eq!(client.exchange(GET).await.status(), 200);
        assert!(client.is_closed().await);
        assert!(before.elapsed() >= Duration::from_millis(700));
    });
}

#[test]
fn a_stalled_exchange_is_closed() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_to_end().await;
        })
        .await;
        let options = with_server(ServerOptions {
            idle_timeout: SHORT,
            close_linger: SHORT,
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        client
            .send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npart")
            .await;
        eventually(|| proxy.pending.get() == 1).await;
        assert!(client.is_closed().await);
        assert_eq!(proxy.pending.get(), 0);
    });
}

#[test]
fn a_client_that_stops_sending_is_told_before_its_connection_is_closed() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_to_end().await;
        })
        .await;
        // One limit is configured for both, but the connection's clock is coarse and may be ahead.
        let options = Options {
            server: ServerOptions {
                idle_timeout: SHORT,
                ..ServerOptions::default()
            },
            upstream: UpstreamOptions {
                idle_timeout: SHORT * 3,
                ..UpstreamOptions::default()
            },
        };
        let proxy = Proxy::start_with(&upstream.http(), options);
        let request = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npart";
        let response = proxy.connect().await.exchange(request).await;
        assert_eq!(response.status(), 408);
    });
}

#[test]
fn a_client_that_never_stops_sending_is_cut_off_after_the_response() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let options = with_server(ServerOptions {
            close_linger: SHORT,
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        assert_eq!(client.read_message().await.status(), 400);
        let endless = async {
            while tokio::io::AsyncWriteExt::write_all(&mut client.stream, b"x")
                .await
                .is_ok()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), endless)
            .await
            .unwrap();
    });
}

#[test]
fn too_many_clients_wait_for_their_turn() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let options = with_server(ServerOptions {
            max_connections: 2,
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut first = proxy.connect().await;
        let mut second = proxy.connect().await;
        assert_eq!(first.exchange(GET).await.status(), 200);
        assert_eq!(second.exchange(GET).await.status(), 200);
        let mut third = proxy.connect().await;
        third.send(GET).await;
        let early = tokio::time::timeout(SHORT * 2, third.read_head()).await;
        assert!(early.is_err(), "served before its turn");
        drop(first);
        assert_eq!(third.read_message().await.status(), 200);
    });
}

//! What goes wrong upstream or downstream, and who is told.

use std::time::Duration;

use proxy_wasi_runtime::upstream::UpstreamOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::h2_peers::{H2Upstream, echo};
use super::support::{Options, Proxy, Upstream, eventually, run};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn with_upstream(upstream: UpstreamOptions) -> Options {
    Options {
        upstream,
        ..Options::default()
    }
}

#[test]
fn a_refused_connection_is_503() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        for scheme in ["http", "h2c"] {
            let proxy = Proxy::start(&format!("{scheme}://{address}"));
            let mut client = proxy.connect().await;
            for _ in 0..2 {
                let response = client.exchange(GET).await;
                assert_eq!(response.status(), 503);
                assert_eq!(response.body(), "upstream `origin`: no connection\n");
            }
        }
    });
}

#[test]
fn all_addresses_of_a_host_are_tried() {
    run(async {
        // Nobody listens on the IPv6 address, if the name has one.
        let (upstream, _) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&format!("http://localhost:{}", upstream.address.port()));
        assert_eq!(proxy.connect().await.exchange(GET).await.status(), 200);
    });
}

#[test]
fn an_unknown_host_is_503() {
    run(async {
        let proxy = Proxy::start("http://nowhere.invalid:80");
        let response = proxy.connect().await.exchange(GET).await;
        assert_eq!(response.status(), 503);
        assert_eq!(
            response.body(),
            "upstream `origin`: host name not resolved\n"
        );
    });
}

#[test]
fn a_connection_that_ends_without_a_response_is_503() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_message().await;
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        assert_eq!(client.exchange(GET).await.status(), 503);
        // The upstream may have acted on the request: it is not sent again.
        assert_eq!(upstream.connections.get(), 1);
        assert_eq!(client.exchange(GET).await.status(), 503);
    });
}

#[test]
fn a_response_that_is_not_http_is_502() {
    let responses = [
        "SSH-2.0-server\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        &format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(70_000)),
    ];
    for response in responses {
        let response = response.to_owned();
        run(async move {
            let response: &'static str = response.leak();
            let (upstream, _) = Upstream::answering(response).await;
            let proxy = Proxy::start(&upstream.http());
            let mut client = proxy.connect().await;
            assert_eq!(client.exchange(GET).await.status(), 502, "{response:?}");
        });
    }
}

#[test]
fn a_late_response_is_504() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_message().await;
            assert!(connection.is_closed().await);
        })
        .await;
        let options = with_upstream(UpstreamOptions {
            response_timeout: Duration::from_millis(50),
            ..UpstreamOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        assert_eq!(client.exchange(GET).await.status(), 504);
        assert_eq!(client.exchange(GET).await.status(), 504);
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn a_slow_upload_is_not_a_late_response() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            let request = connection.read_message().await;
            connection
                .send(format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}",
                    request.body()
                ))
                .await;
        })
        .await;
        let options = with_upstream(UpstreamOptions {
            response_timeout: Duration::from_millis(100),
            idle_timeout: Duration::from_millis(400),
            ..UpstreamOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        client
            .send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
            .await;
        for part in ["a", "b", "c"] {
            tokio::time::sleep(Duration::from_millis(150)).await;
            client.send(part).await;
        }
        assert_eq!(client.read_message().await.body(), "abc");
    });
}

#[test]
fn an_upload_that_stops_is_408() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_to_end().await;
        })
        .await;
        let options = with_upstream(UpstreamOptions {
            idle_timeout: Duration::from_millis(50),
            ..UpstreamOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        client
            .send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
            .await;
        let response = client.read_message().await;
        assert_eq!(response.status(), 408);
        assert_eq!(
            response.body(),
            "upstream `origin`: the request's body did not go on within the idle timeout\n"
        );
    });
}

#[test]
fn an_upload_that_the_upstream_does_not_take_is_504() {
    run(async {
        let upstream = Upstream::start(|_, connection| async move {
            let _unread = connection;
            std::future::pending::<()>().await;
        })
        .await;
        let options = with_upstream(UpstreamOptions {
            idle_timeout: Duration::from_millis(100),
            ..UpstreamOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        // More than sockets hold on the way.
        let length = 64 * 1024 * 1024;
        let head = format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        let mut client = proxy.connect().await;
        client.send(head).await;
        let (mut reader, mut writer) = client.stream.split();
        let sending = async {
            let part = vec![0; 64 * 1024];
            for _ in 0..length / part.len() {
                if writer.write_all(&part).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let mut status = [0; 12];
        tokio::select! {
            read = reader.read_exact(&mut status) => assert_eq!(read.unwrap(), 12),
            () = sending => {}
        }
        assert_eq!(status, *b"HTTP/1.1 504");
    });
}

#[test]
fn a_host_that_http2_cannot_say_is_the_clients_fault() {
    run(async {
        let upstream = H2Upstream::start(echo).await;
        let proxy = Proxy::start(&upstream.url());
        let request = "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n";
        assert_eq!(proxy.connect().await.exchange(request).await.status(), 400);
    });
}

#[test]
fn blanks_before_the_colon_of_a_responses_field_are_removed() {
    run(async {
        let (upstream, _) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-up : 1\r\n\r\n").await;
        let proxy = Proxy::start(&upstream.http());
        let response = proxy.connect().await.exchange(GET).await;
        assert_eq!(
            (response.status(), response.field("x-up")),
            (200, Some("1"))
        );
    });
}

#[test]
fn a_response_that_breaks_off_does_not_look_complete() {
    for framing in [
        "content-length: 100\r\n\r\npart",
        "transfer-encoding: chunked\r\n\r\n4\r\npart\r\n",
    ] {
        run(async move {
            let upstream = Upstream::start(move |_, mut connection| async move {
                connection.read_message().await;
                connection
                    .send(format!("HTTP/1.1 200 OK\r\n{framing}"))
                    .await;
            })
            .await;
            let proxy = Proxy::start(&upstream.http());
            let answer = proxy.exchange(GET).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
        });
    }
}

#[test]
fn a_response_that_stops_is_broken_off() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_message().await;
            connection
                .send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n")
                .await;
            assert!(connection.is_closed().await);
        })
        .await;
        let options = with_upstream(UpstreamOptions {
            idle_timeout: Duration::from_millis(50),
            ..UpstreamOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let answer = proxy.exchange(GET).await;
        assert!(answer.ends_with("4\r\npart\r\n"), "{answer}");
    });
}

#[test]
fn a_client_that_leaves_ends_the_exchange_before_the_response() {
    run(async {
        let (gone, noticed) = tokio::sync::oneshot::channel();
        let gone = std::cell::RefCell::new(Some(gone));
        let upstream = Upstream::start(move |_, mut connection| {
            let gone = gone.take();
            async move {
                connection.read_message().await;
                assert!(connection.is_closed().await);
                let _ = gone.unwrap().send(());
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        client.send(GET).await;
        eventually(|| proxy.pending.get() == 1).await;
        drop(client);
        eventually(|| proxy.pending.get() == 0).await;
        noticed.await.unwrap();
    });
}

#[test]
fn a_client_that_leaves_ends_the_exchange_in_a_body() {
    for request in [
        GET,
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart",
    ] {
        run(async move {
            let (gone, noticed) = tokio::sync::oneshot::channel();
            let gone = std::cell::RefCell::new(Some(gone));
            let upstream = Upstream::start(move |_, mut connection| {
                let gone = gone.take();
                async move {
                    connection.read_head().await;
                    connection
                        .send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n")
                        .await;
                    connection.read_to_end().await;
                    let _ = gone.unwrap().send(());
                }
            })
            .await;
            let proxy = Proxy::start(&upstream.http());
            let mut client = proxy.connect().await;
            client.send(request).await;
            client.read_head().await.unwrap();
            drop(client);
            noticed.await.unwrap();
        });
    }
}

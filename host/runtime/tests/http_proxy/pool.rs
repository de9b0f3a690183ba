//! Which upstream connections are used again, and which are not.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use proxy_wasi_runtime::upstream::{UpstreamClient, UpstreamOptions};

use super::support::{Options, Proxy, RawClient, Upstream, cluster, eventually, run};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[test]
fn all_clients_share_connections() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let proxy = Proxy::start(&upstream.http());
        for _ in 0..20 {
            let mut client = proxy.connect().await;
            assert_eq!(client.exchange(GET).await.body(), "ok");
        }
        assert_eq!(upstream.connections.get(), 1);
    });
}

#[test]
fn busy_connections_are_not_shared() {
    run(async {
        let release = std::rc::Rc::new(tokio::sync::Semaphore::new(0));
        let gate = std::rc::Rc::clone(&release);
        let upstream = Upstream::start(move |_, mut connection| {
            let gate = std::rc::Rc::clone(&gate);
            async move {
                while connection.try_read_message().await.is_some() {
                    gate.acquire().await.unwrap().forget();
                    connection.send(OK).await;
                }
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut clients = Vec::new();
        for _ in 0..5 {
            let mut client = proxy.connect().await;
            client.send(GET).await;
            clients.push(client);
        }
        eventually(|| upstream.connections.get() == 5).await;
        release.add_permits(10);
        for client in &mut clients {
            assert_eq!(client.read_message().await.body(), "ok");
        }
        for client in &mut clients {
            assert_eq!(client.exchange(GET).await.body(), "ok");
        }
        assert_eq!(upstream.connections.get(), 5);
    });
}

#[test]
fn a_connection_that_the_upstream_closes_is_replaced() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_message().await;
            connection.send(OK).await;
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        for count in 1..=20 {
            // Whether the end of the last connection has been noticed by now or not.
            assert_eq!(client.exchange(GET).await.status(), 200);
            assert_eq!(upstream.connections.get(), count);
        }
    });
}

#[test]
fn a_request_is_sent_again_if_nothing_of_it_was_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (close, told) = std::sync::mpsc::channel();
    let (closed, seen) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            assert_ne!(stream.read(&mut [0; 1000]).unwrap(), 0);
            stream.write_all(OK.as_bytes()).unwrap();
            told.recv().unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    run(async {
        let client = UpstreamClient::<Full<Bytes>>::new(UpstreamOptions::default());
        let cluster = Arc::new(cluster(&format!("http://{address}")));
        for _ in 0..3 {
            let request = Request::post("/").body(Full::from("body")).unwrap();
            let response = client.send(&cluster, request).await.unwrap();
            assert_eq!(
                response.into_body().collect().await.unwrap().to_bytes(),
                "ok"
            );
            // Closes the connection while this thread does nothing else. The runtime then learns of it, and the next
            // request is made before the connection's task does.
            close.send(()).unwrap();
            seen.recv().unwrap();
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_connection_that_the_upstream_will_close_is_not_used_again() {
    run(async {
        let (upstream, _) = Upstream::answering(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        )
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        for count in 1..=3 {
            assert_eq!(client.exchange(GET).await.field("connection"), None);
            assert_eq!(upstream.connections.get(), count);
        }
    });
}

#[test]
fn a_connection_with_an_unfinished_request_is_not_used_again() {
    run(async {
        let upstream = Upstream::start(|number, mut connection| async move {
            connection.read_head().await;
            connection.send(OK).await;
            if number == 0 {
                // The rest of the upload must not come, nor another request.
                let rest = connection.read_to_end().await;
                assert!(!rest.contains("GET"), "{rest}");
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut uploading = proxy.connect().await;
        uploading
            .send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart")
            .await;
        assert_eq!(uploading.read_message().await.body(), "ok");
        assert_eq!(proxy.connect().await.exchange(GET).await.body(), "ok");
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn bytes_nobody_asked_for_end_a_connection() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            while connection.try_read_message().await.is_some() {
                connection.send(OK).await;
                connection
                    .send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
                    .await;
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        for _ in 0..5 {
            assert_eq!(client.exchange(GET).await.body(), "ok");
        }
    });
}

#[test]
fn idle_connections_are_closed_in_time() {
    run(async {
        let open = std::rc::Rc::new(std::cell::Cell::new(0));
        let counter = std::rc::Rc::clone(&open);
        let upstream = Upstream::start(move |_, mut connection| {
            let counter = std::rc::Rc::clone(&counter);
            async move {
                counter.set(counter.get() + 1);
                answer(&mut connection).await;
                counter.set(counter.get() - 1);
            }
        })
        .await;
        let options = Options {
            upstream: UpstreamOptions {
                pool_idle_timeout: Duration::from_millis(100),
                ..UpstreamOptions::default()
            },
            ..Options::default()
        };
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        assert_eq!(client.exchange(GET).await.body(), "ok");
        assert_eq!(open.get(), 1);
        eventually(|| open.get() == 0).await;
        assert_eq!(client.exchange(GET).await.body(), "ok");
        assert_eq!(upstream.connections.get(), 2);
    });
}

async fn answer(connection: &mut RawClient) {
    while connection.try_read_message().await.is_some() {
        connection.send(OK).await;
    }
}

#[test]
fn only_so_many_idle_connections_are_kept() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let options = Options {
            upstream: UpstreamOptions {
                max_idle_per_cluster: 0,
                ..UpstreamOptions::default()
            },
            ..Options::default()
        };
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        for count in 1..=3 {
            assert_eq!(client.exchange(GET).await.body(), "ok");
            assert_eq!(upstream.connections.get(), count);
        }
    });
}

#[test]
fn a_cluster_takes_only_so_many_connections() {
    run(async {
        let upstream = Upstream::start(|number, mut connection| async move {
            if number > 0 {
                return answer(&mut connection).await;
            }
            connection.read_message().await;
            // Until the client leaves.
            connection.read_to_end().await;
        })
        .await;
        let options = Options {
            upstream: UpstreamOptions {
                max_connections_per_cluster: 1,
                ..UpstreamOptions::default()
            },
            ..Options::default()
        };
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut first = proxy.connect().await;
        first.send(GET).await;
        eventually(|| upstream.connections.get() == 1).await;
        let mut second = proxy.connect().await;
        let refused = second.exchange(GET).await;
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.body(), "upstream `origin`: too many connections\n");
        drop(first);
        eventually(|| proxy.pending.get() == 0).await;
        assert_eq!(second.exchange(GET).await.status(), 200);
    });
}

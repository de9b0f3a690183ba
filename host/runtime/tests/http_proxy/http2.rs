//! HTTP/2 with prior knowledge, on either side.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, Version};
use http_body::Frame;
use http_body_util::BodyExt;
use proxy_wasi_runtime::server::ServerOptions;
use proxy_wasi_runtime::upstream::UpstreamOptions;
use tokio::net::{TcpListener, TcpStream};

use super::h2_peers::{H2Upstream, connect, connect_with_window, echo, frames, get, text, whole};
use super::support::{Counted, Options, Proxy, Upstream, eventually, field, run};

#[test]
fn an_http2_client_talks_to_an_http1_upstream() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            while let Some(request) = connection.try_read_message().await {
                assert_eq!(field(&request.head, "host"), Some("example.test"));
                assert_eq!(field(&request.head, "cookie"), Some("a=1; b=2"));
                let path = request.head.split(' ').nth(1).unwrap().to_owned();
                let length = path.len();
                connection
                    .send(format!(
                        "HTTP/1.1 200 OK\r\nconnection: x\r\ncontent-length: {length}\r\n\r\n{path}"
                    ))
                    .await;
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let client = connect(proxy.address).await;
        let exchanges = (0..50).map(|number| {
            let mut client = client.clone();
            tokio::task::spawn_local(async move {
                let mut request = get(&format!("/{number}"));
                for cookie in ["a=1", "b=2"] {
                    request
                        .headers_mut()
                        .append("cookie", HeaderValue::from_static(cookie));
                }
                let response = client.send_request(request).await.unwrap();
                assert_eq!(response.version(), Version::HTTP_2);
                assert_eq!(response.headers().get("connection"), None);
                assert_eq!(text(response).await, format!("/{number}"));
            })
        });
        for exchange in exchanges.collect::<Vec<_>>() {
            exchange.await.unwrap();
        }
    });
}

#[test]
fn an_http1_client_talks_to_an_http2_upstream() {
    run(async {
        let upstream = H2Upstream::start(echo).await;
        let proxy = Proxy::start(&upstream.url());
        let mut client = proxy.connect().await;
        for _ in 0..3 {
            let response = client
                .exchange("PUT /p?q HTTP/1.1\r\nHost: example.test\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nbody")
                .await;
            assert_eq!(response.start_line(), "HTTP/1.1 200 OK");
            assert_eq!(response.field("x-up"), Some("1"));
            assert_eq!(response.body(), "body");
        }
        assert_eq!(upstream.connections.get(), 1);
        let heads = upstream.heads.borrow();
        assert_eq!(heads[0].uri.to_string(), "http://example.test/p?q");
        assert_eq!(heads[0].headers.get("host"), None);
        assert_eq!(heads[0].headers.get("connection"), None);
    });
}

#[test]
fn one_upstream_connection_carries_all_exchanges() {
    run(async {
        let together = Rc::new(tokio::sync::Barrier::new(20));
        let upstream = H2Upstream::start(move |request| {
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
        let exchanges = (0..20).map(|number| {
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
        assert_eq!(upstream.connections.get(), 1);
    });
}

#[test]
fn passes_trailers_and_streams_both_ways() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            // Answers each part as it comes, and the trailers last.
            let (sender, body) = frames();
            tokio::task::spawn_local(async move {
                let mut incoming = request.into_body();
                while let Some(frame) = incoming.frame().await {
                    sender.send(frame.unwrap()).unwrap();
                }
            });
            Response::new(body)
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let mut client = connect(proxy.address).await;
        let (sender, body) = frames();
        let mut request = get("/").map(|_| body);
        request
            .headers_mut()
            .insert("te", HeaderValue::from_static("trailers"));
        let response = client.send_request(request).await.unwrap();
        let mut incoming = response.into_body();
        for part in ["one", "two"] {
            sender.send(Frame::data(Bytes::from(part))).unwrap();
            let frame = incoming.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), part);
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", HeaderValue::from_static("1"));
        sender.send(Frame::trailers(trailers.clone())).unwrap();
        let frame = incoming.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_trailers().unwrap(), trailers);
        assert_eq!(upstream.heads.borrow()[0].headers["te"], "trailers");
    });
}

#[test]
fn announced_trailers_pass_from_http1_to_http2_and_back() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            let collected = request.into_body().collect().await.unwrap();
            let trailers = collected.trailers().cloned().unwrap();
            let (sender, body) = frames();
            sender.send(Frame::data(collected.to_bytes())).unwrap();
            sender.send(Frame::trailers(trailers)).unwrap();
            Response::builder()
                .header("trailer", "x-sum")
                .body(body)
                .unwrap()
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let response = proxy
            .connect()
            .await
            .exchange(
                "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\nTrailer: x-sum\r\n\
                 Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
            )
            .await;
        assert_eq!(response.body(), "3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n");
    });
}

#[test]
fn a_lost_connection_is_replaced() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            assert_ne!(request.uri().path(), "/panic");
            echo(request).await
        })
        .await;
        // The first connection of the proxy leads to a relay that is cut.
        let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(&format!("h2c://{}", relay.local_addr().unwrap()));
        let mut client = proxy.connect().await;
        for _ in 0..3 {
            let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
            let served = async {
                let (mut near, _) = relay.accept().await.unwrap();
                let mut far = TcpStream::connect(upstream.address).await.unwrap();
                tokio::io::copy_bidirectional(&mut near, &mut far)
                    .await
                    .ok();
            };
            tokio::select! {
                response = client.exchange(request) => assert_eq!(response.status(), 200),
                () = served => {}
            }
        }
        assert_eq!(upstream.connections.get(), 3);
    });
}

#[test]
fn a_client_that_resets_a_stream_ends_its_exchange_only() {
    run(async {
        let open = Rc::new(Cell::new(0));
        let counter = Rc::clone(&open);
        let upstream = H2Upstream::start(move |request| {
            let counted = Counted::new(&counter);
            async move {
                if request.uri().path() == "/wait" {
                    std::future::pending::<()>().await;
                }
                drop(counted);
                echo(request).await
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let client = connect(proxy.address).await;
        let mut waiting = client.clone();
        let waiting =
            tokio::task::spawn_local(async move { waiting.send_request(get("/wait")).await });
        eventually(|| open.get() == 1).await;
        waiting.abort();
        eventually(|| open.get() == 0).await;
        assert_eq!(proxy.pending.get(), 0);
        let response = client.clone().send_request(get("/")).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(upstream.connections.get(), 1);
    });
}

#[test]
fn a_response_nobody_reads_ends_its_connection_in_spite_of_others() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            let size = if request.uri().path() == "/large" {
                1_000_000
            } else {
                1
            };
            Response::new(whole(vec![0; size]))
        })
        .await;
        let options = Options {
            server: ServerOptions {
                idle_timeout: Duration::from_millis(200),
                ..ServerOptions::default()
            },
            ..Options::default()
        };
        let proxy = Proxy::start_with(&upstream.url(), options);
        let mut client = connect_with_window(proxy.address, 1000).await;
        let _unread = client.send_request(get("/large")).await.unwrap();
        let busy = async {
            while client.send_request(get("/")).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), busy)
            .await
            .unwrap();
    });
}

#[test]
fn limits_heads_and_streams() {
    run(async {
        let upstream = H2Upstream::start(|_| std::future::pending()).await;
        let options = Options {
            server: ServerOptions {
                max_concurrent_streams: 3,
                ..ServerOptions::default()
            },
            ..Options::default()
        };
        let proxy = Proxy::start_with(&upstream.url(), options);
        let client = connect(proxy.address).await;
        let mut large = get("/");
        let value = HeaderValue::from_bytes(&[b'x'; 20_000]).unwrap();
        for _ in 0..4 {
            large.headers_mut().append("x", value.clone());
        }
        let refused = client.clone().send_request(large).await.unwrap();
        assert_eq!(refused.status(), 431);
        for _ in 0..5 {
            let mut client = client.clone();
            tokio::task::spawn_local(async move { client.send_request(get("/")).await });
        }
        eventually(|| proxy.pending.get() == 3).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(proxy.pending.get(), 3);
    });
}

#[test]
fn a_response_that_breaks_off_resets_the_stream() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_message().await;
            connection
                .send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart")
                .await;
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = connect(proxy.address).await;
        let response = client.send_request(get("/")).await.unwrap();
        assert!(response.into_body().collect().await.is_err());
        assert!(!client.is_closed());
    });
}

#[test]
fn a_silent_connection_is_not_used_for_the_next_request() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            if request.uri().path() == "/wait" {
                std::future::pending::<()>().await;
            }
            echo(request).await
        })
        .await;
        let options = Options {
            upstream: UpstreamOptions {
                response_timeout: Duration::from_millis(50),
                ..UpstreamOptions::default()
            },
            ..Options::default()
        };
        let proxy = Proxy::start_with(&upstream.url(), options);
        let mut client = connect(proxy.address).await;
        assert_eq!(
            client.send_request(get("/wait")).await.unwrap().status(),
            504
        );
        assert_eq!(client.send_request(get("/")).await.unwrap().status(), 200);
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn a_connection_is_not_idle_while_a_response_is_on_its_way() {
    run(async {
        let upstream = H2Upstream::start(|_| async {
            let (sender, body) = frames();
            tokio::task::spawn_local(async move {
                for part in ["one", "two"] {
                    sender.send(Frame::data(Bytes::from(part))).unwrap();
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
            });
            Response::new(body)
        })
        .await;
        let options = Options {
            upstream: UpstreamOptions {
                pool_idle_timeout: Duration::from_millis(50),
                ..UpstreamOptions::default()
            },
            ..Options::default()
        };
        let proxy = Proxy::start_with(&upstream.url(), options);
        let response = proxy
            .connect()
            .await
            .exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        assert_eq!(response.unchunked(), "onetwo");
    });
}

#[test]
fn draining_says_goaway_and_ends_open_streams() {
    run(async {
        let release = Rc::new(tokio::sync::Semaphore::new(0));
        let gate = Rc::clone(&release);
        let upstream = H2Upstream::start(move |request| {
            let gate = Rc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                echo(request).await
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let client = connect(proxy.address).await;
        let mut sender = client.clone();
        let open = tokio::task::spawn_local(async move { sender.send_request(get("/")).await });
        eventually(|| proxy.pending.get() == 1).await;
        proxy.drain.start();
        release.add_permits(1);
        assert_eq!(open.await.unwrap().unwrap().status(), 200);
        let served = proxy.served.await.unwrap().unwrap();
        assert_eq!(served.cut_off, 0);
        eventually(|| client.is_closed()).await;
    });
}

#[test]
fn large_bodies_pass_unchanged() {
    run(async {
        let upstream = H2Upstream::start(|request| async move {
            Response::new({
                let (sender, body) = frames();
                tokio::task::spawn_local(async move {
                    let mut incoming = request.into_body();
                    while let Some(frame) = incoming.frame().await {
                        sender.send(frame.unwrap()).unwrap();
                    }
                });
                body
            })
        })
        .await;
        let proxy = Proxy::start(&upstream.url());
        let mut client = connect(proxy.address).await;
        let body: Bytes = (0..8 * 1024 * 1024_u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        let response = client
            .send_request(get("/").map(|_| whole(body.clone())))
            .await
            .unwrap();
        let received = response.into_body().collect().await.unwrap().to_bytes();
        assert!(received == body, "bodies differ");
    });
}

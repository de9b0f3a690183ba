//! Bodies and trailers of every framing, and responses that have none.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::support::{Proxy, Upstream, field, run};

#[test]
fn passes_chunked_bodies_both_ways() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            while let Some(request) = connection.try_read_message().await {
                assert_eq!(field(&request.head, "transfer-encoding"), Some("chunked"));
                let mut response =
                    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
                response.extend(request.raw_body);
                connection.send(response).await;
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        for _ in 0..3 {
            let response = client
                .exchange(
                    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                     5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
                )
                .await;
            assert_eq!(response.unchunked(), "hello!");
        }
        assert_eq!(upstream.connections.get(), 1);
    });
}

#[test]
fn a_get_with_a_body_keeps_it() {
    run(async {
        for framing in [
            "Content-Length: 3\r\n\r\nabc",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ] {
            let upstream = Upstream::start(|_, mut connection| async move {
                while let Some(request) = connection.try_read_message().await {
                    let body = request.unchunked();
                    connection
                        .send(format!(
                            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                            body.len()
                        ))
                        .await;
                }
            })
            .await;
            let proxy = Proxy::start(&upstream.http());
            let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{framing}");
            assert_eq!(proxy.connect().await.exchange(request).await.body(), "abc");
        }
    });
}

#[test]
fn says_that_a_post_has_no_body() {
    run(async {
        let (upstream, last) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&upstream.http());
        proxy
            .connect()
            .await
            .exchange("POST / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        assert_eq!(field(&last.borrow(), "content-length"), Some("0"));
    });
}

#[test]
fn passes_trailers_both_ways() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            while let Some(request) = connection.try_read_message().await {
                assert_eq!(field(&request.head, "te"), Some("trailers"));
                assert_eq!(field(&request.head, "connection"), Some("te"));
                let body = String::from_utf8(request.raw_body).unwrap();
                assert!(body.ends_with("0\r\nx-sum: 1\r\n\r\n"), "{body:?}");
                connection
                    .send(
                        "HTTP/1.1 200 OK\r\ntrailer: x-up\r\ntransfer-encoding: chunked\r\n\r\n\
                         2\r\nok\r\n0\r\nx-up: 2\r\n\r\n",
                    )
                    .await;
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        for _ in 0..2 {
            let response = client
                .exchange(
                    "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\nTrailer: x-sum\r\n\
                     Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
                )
                .await;
            assert!(
                response.body().ends_with("0\r\nx-up: 2\r\n\r\n"),
                "{response:?}"
            );
        }
    });
}

#[test]
fn responses_without_a_body_have_none() {
    let table = [
        ("HEAD", "200 OK\r\ncontent-length: 100", Some("100")),
        ("HEAD", "200 OK\r\ntransfer-encoding: chunked", None),
        ("HEAD", "200 OK", None),
        ("GET", "204 No Content", None),
        ("GET", "204 No Content\r\ncontent-length: 0", None),
        ("GET", "304 Not Modified\r\netag: x", None),
        // RFC 9110, 8.6 and 15.4.5: the length that the body would have.
        (
            "GET",
            "304 Not Modified\r\ncontent-length: 100",
            Some("100"),
        ),
        ("GET", "304 Not Modified\r\ncontent-length: 0", Some("0")),
        (
            "GET",
            "304 Not Modified\r\ntransfer-encoding: chunked",
            None,
        ),
        (
            "HEAD",
            "304 Not Modified\r\ncontent-length: 100",
            Some("100"),
        ),
        ("GET", "200 OK\r\ncontent-length: 0", Some("0")),
    ];
    for (method, head, length) in table {
        run(async {
            let upstream = Upstream::start(move |_, mut connection| async move {
                while connection.try_read_message().await.is_some() {
                    connection.send(format!("HTTP/1.1 {head}\r\n\r\n")).await;
                }
            })
            .await;
            let proxy = Proxy::start(&upstream.http());
            let mut client = proxy.connect().await;
            for _ in 0..2 {
                client
                    .send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"))
                    .await;
                let head = client.read_head().await.unwrap();
                assert_eq!(field(&head, "content-length"), length, "{method} {head}");
                assert_eq!(field(&head, "transfer-encoding"), None, "{method} {head}");
            }
            assert_eq!(upstream.connections.get(), 1, "{method} {head}");
        });
    }
}

#[test]
fn a_response_that_ends_with_its_connection_is_complete() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_message().await;
            connection.send("HTTP/1.0 200 OK\r\n\r\nall of it").await;
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        for _ in 0..2 {
            let response = client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            assert_eq!(response.start_line(), "HTTP/1.1 200 OK");
            assert_eq!(response.unchunked(), "all of it");
        }
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn transfer_encoding_overrides_the_length_of_a_response() {
    run(async {
        let (upstream, _) = Upstream::answering(
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        )
        .await;
        let proxy = Proxy::start(&upstream.http());
        let response = proxy
            .connect()
            .await
            .exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        assert_eq!(response.field("content-length"), None);
        assert_eq!(response.unchunked(), "ok");
    });
}

#[test]
fn answers_an_expectation_before_the_body() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            let request = connection.read_message().await;
            assert_eq!(field(&request.head, "expect"), None);
            assert_eq!(request.body(), "body");
            connection
                .send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await;
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        client
            .send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            .await;
        assert_eq!(
            client.read_head().await.as_deref(),
            Some("HTTP/1.1 100 Continue")
        );
        assert_eq!(client.exchange("body").await.status(), 200);
    });
}

#[test]
fn an_early_response_arrives_while_the_request_is_sent() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            connection.read_head().await;
            connection
                .send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig")
                .await;
            // Reads nothing of the body, and keeps the connection.
            std::future::pending::<()>().await;
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        client
            .send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nfirst part")
            .await;
        let response = client.read_message().await;
        assert_eq!((response.status(), response.body()), (413, "big"));
        // The rest is read and dropped: no reset may reach a client that is still busy sending.
        for _ in 0..20 {
            client.stream.write_all(&[b'x'; 10_000]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(client.is_closed().await);
    });
}

#[test]
fn streams_large_bodies_unchanged() {
    const SIZE: u32 = 8 * 1024 * 1024;
    let body: Vec<u8> = (0..SIZE)
        .flat_map(|n| {
            n.wrapping_mul(2_654_435_761)
                .to_le_bytes()
                .into_iter()
                .take(1)
        })
        .collect();
    for framing in ["content-length", "chunked"] {
        let body = body.clone();
        run(async move {
            let upstream = Upstream::start(|_, mut connection| async move {
                let request = connection.read_message().await;
                let fields = request.head.split_once("\r\n").unwrap().1.to_owned();
                let framing = fields
                    .lines()
                    .find(|line| line.starts_with("content-l") || line.starts_with("transfer-e"));
                connection
                    .send(format!("HTTP/1.1 200 OK\r\n{}\r\n\r\n", framing.unwrap()))
                    .await;
                connection.send(request.raw_body).await;
                std::future::pending::<()>().await;
            })
            .await;
            let proxy = Proxy::start(&upstream.http());
            let mut client = proxy.connect().await;
            let request = if framing == "chunked" {
                let mut request =
                    b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                for chunk in body.chunks(100_003) {
                    request.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    request.extend(chunk);
                    request.extend(b"\r\n");
                }
                request.extend(b"0\r\n\r\n");
                request
            } else {
                let mut request =
                    format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n")
                        .into_bytes();
                request.extend(&body);
                request
            };
            let response = client.exchange(request).await;
            assert_eq!(
                response.field("transfer-encoding").is_some(),
                framing == "chunked"
            );
            assert!(
                response.unchunked_bytes() == body,
                "{framing}: bodies differ"
            );
        });
    }
}

#[test]
fn a_client_that_does_not_read_holds_the_upstream_back() {
    run(async {
        let sent = std::rc::Rc::new(std::cell::Cell::new(0_usize));
        let counter = std::rc::Rc::clone(&sent);
        let upstream = Upstream::start(move |_, mut connection| {
            let counter = std::rc::Rc::clone(&counter);
            async move {
                connection.read_message().await;
                connection
                    .send("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
                    .await;
                let part = vec![0; 64 * 1024];
                loop {
                    connection.send(&part).await;
                    counter.set(counter.get() + part.len());
                }
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.read_head().await.unwrap();
        // Until the buffers of all sockets are full and nothing moves any more.
        let mut before = usize::MAX;
        while before != sent.get() {
            before = sent.get();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert!(before < 64 * 1024 * 1024, "{before} bytes are somewhere");
        // It goes on as soon as the client reads.
        client.read_exact(before + 1).await;
    });
}

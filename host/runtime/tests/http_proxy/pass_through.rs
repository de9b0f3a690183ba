//! Ordinary exchanges arrive unchanged but for what an intermediary must do.

use super::support::{Proxy, Upstream, field, run};

#[test]
fn passes_a_request_and_its_response() {
    run(async {
        let (upstream, last) = Upstream::answering(
            "HTTP/1.1 200 OK\r\nx-up: 1\r\ndate: then\r\ncontent-length: 5\r\n\r\nhello",
        )
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        let response = client
            .exchange("GET /a?b=c HTTP/1.1\r\nHost: example.test\r\nX-Down: 2\r\n\r\n")
            .await;
        assert_eq!(response.start_line(), "HTTP/1.1 200 OK");
        assert_eq!(response.field("x-up"), Some("1"));
        assert_eq!(response.field("date"), Some("then"));
        assert_eq!(response.field("server"), None);
        assert_eq!(response.body(), "hello");
        let head = last.borrow().clone();
        assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{head}");
        assert_eq!(field(&head, "host"), Some("example.test"));
        assert_eq!(field(&head, "x-down"), Some("2"));
        assert_eq!(field(&head, "x-request-id").map(str::len), Some(36));
        assert_eq!(head.lines().count(), 4, "{head}");
    });
}

#[test]
fn keeps_a_reason_of_the_upstreams_own() {
    run(async {
        let (upstream, _) =
            Upstream::answering("HTTP/1.1 299 Fine\r\ncontent-length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&upstream.http());
        let response = proxy
            .connect()
            .await
            .exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        assert_eq!(response.start_line(), "HTTP/1.1 299 Fine");
    });
}

#[test]
fn strips_connection_fields_both_ways() {
    run(async {
        let (upstream, last) = Upstream::answering(
            "HTTP/1.1 200 OK\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=1\r\ncontent-length: 0\r\n\r\n",
        )
        .await;
        let proxy = Proxy::start(&upstream.http());
        let response = proxy
            .connect()
            .await
            .exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: x-mine\r\nX-Mine: 1\r\nProxy-Connection: keep-alive\r\n\r\n")
            .await;
        for name in ["connection", "x-hop", "keep-alive"] {
            assert_eq!(response.field(name), None);
        }
        for name in ["connection", "x-mine", "proxy-connection"] {
            assert_eq!(field(&last.borrow(), name), None);
        }
    });
}

#[test]
fn an_absolute_target_names_the_host() {
    run(async {
        let (upstream, last) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        client
            .exchange("GET http://b.test:81/p HTTP/1.1\r\nHost: a.test\r\n\r\n")
            .await;
        assert!(last.borrow().starts_with("GET /p HTTP/1.1\r\n"));
        assert_eq!(field(&last.borrow(), "host"), Some("b.test:81"));
        client
            .exchange("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n")
            .await;
        assert!(last.borrow().starts_with("OPTIONS * HTTP/1.1\r\n"));
    });
}

#[test]
fn serves_http_1_0() {
    run(async {
        let (upstream, last) = Upstream::answering(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        )
        .await;
        let proxy = Proxy::start(&upstream.http());
        let response = proxy.exchange("GET / HTTP/1.0\r\n\r\n").await;
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
        assert_eq!(field(head, "transfer-encoding"), None);
        assert_eq!(body, "abc");
        // The proxy speaks its own version upstream, and names itself where the client named nobody.
        assert!(last.borrow().starts_with("GET / HTTP/1.1\r\n"));
        assert_eq!(
            field(&last.borrow(), "host"),
            Some(&*proxy.address.to_string())
        );
    });
}

#[test]
fn keeps_http_1_0_connections_alive_when_asked() {
    run(async {
        let (upstream, _) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        for _ in 0..3 {
            let response = client
                .exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                .await;
            assert_eq!(response.start_line(), "HTTP/1.0 200 OK");
            assert_eq!(response.field("connection"), Some("keep-alive"));
        }
        client.exchange("GET / HTTP/1.0\r\n\r\n").await;
        assert!(client.is_closed().await);
    });
}

#[test]
fn closes_when_the_client_asks_for_it() {
    run(async {
        let (upstream, _) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        let response = client
            .exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await;
        assert_eq!(response.field("connection"), Some("close"));
        assert!(client.is_closed().await);
    });
}

#[test]
fn answers_pipelined_requests_in_order() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            while let Some(request) = connection.try_read_message().await {
                let path = request.head.split(' ').nth(1).unwrap().to_owned();
                connection
                    .send(format!(
                        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}",
                        path.len()
                    ))
                    .await;
            }
        })
        .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        client
            .send(
                "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
                 GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
            )
            .await;
        for path in ["/1", "/2", "/3"] {
            assert_eq!(client.read_message().await.body(), path);
        }
    });
}

#[test]
fn leaves_interim_responses_out() {
    run(async {
        let (upstream, _) = Upstream::answering(
            "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
             HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        )
        .await;
        let proxy = Proxy::start(&upstream.http());
        let response = proxy
            .connect()
            .await
            .exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        assert_eq!((response.status(), response.body()), (200, "ok"));
    });
}

#[test]
fn refuses_what_is_not_built() {
    run(async {
        let (upstream, _) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&upstream.http());
        for request in [
            "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        ] {
            assert_eq!(proxy.connect().await.exchange(request).await.status(), 501);
        }
        assert_eq!(upstream.connections.get(), 0);
        // An offer of HTTP/2 is declined by answering.
        let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\n\
                       HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
        assert_eq!(proxy.connect().await.exchange(request).await.status(), 200);
    });
}

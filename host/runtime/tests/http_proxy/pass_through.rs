//! Ordinary exchanges arrive unchanged.

use super::support::{Proxy, Upstream, field, run};

#[test]
fn passes_a_request_and_its_response() {
    run(async {
        let (upstream, last) =
            Upstream::answering("HTTP/1.1 200 OK\r\nx-up: 1\r\ncontent-length: 5\r\n\r\nhello")
                .await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        let response = client
            .exchange("GET /a?b=c HTTP/1.1\r\nHost: example.test\r\nX-Down: 2\r\n\r\n")
            .await;
        assert_eq!(response.start_line(), "HTTP/1.1 200 OK");
        assert_eq!(response.field("x-up"), Some("1"));
        assert_eq!(response.body(), "hello");
        let head = last.borrow().clone();
        assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{head}");
        assert_eq!(field(&head, "host"), Some("example.test"));
        assert_eq!(field(&head, "x-down"), Some("2"));
        assert_eq!(field(&head, "x-request-id").map(str::len), Some(36));
    });
}

#[test]
fn reuses_connections_on_both_sides() {
    run(async {
        let (upstream, _) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        for _ in 0..100 {
            let response = client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            assert_eq!(response.body(), "ok");
        }
        assert_eq!(upstream.connections.get(), 1);
    });
}

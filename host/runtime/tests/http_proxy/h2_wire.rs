//! What HTTP/2 peers may do that libraries do not let them do.

use std::rc::Rc;
use std::time::Duration;

use http::HeaderValue;
use proxy_wasi_runtime::server::ServerOptions;
use tokio::sync::Notify;

use super::h2_frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GET, HEADERS, OK, RST_STREAM, accept,
    client_preface, frame, read_frame,
};
use super::h2_peers::{connect, get};
use super::support::{Options, Proxy, RawClient, Upstream, run};

const SHORT: Duration = Duration::from_millis(100);
/// Far above what is waited for, and far below the limits that are left at their defaults.
const SOON: Duration = Duration::from_secs(10);

fn with_server(server: ServerOptions) -> Options {
    Options {
        server,
        ..Options::default()
    }
}

#[test]
fn a_connection_owes_its_first_request_in_time() {
    run(async {
        let (upstream, _) = Upstream::answering("").await;
        let options = with_server(ServerOptions {
            header_read_timeout: SHORT,
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        client.send(client_preface()).await;
        tokio::time::timeout(SOON, client.closes()).await.unwrap();
    });
}

#[test]
fn trickling_does_not_extend_the_time_for_the_first_request() {
    run(async {
        let (upstream, _) = Upstream::answering("").await;
        let options = with_server(ServerOptions {
            header_read_timeout: SHORT,
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        client.send(client_preface()).await;
        client.send(frame(HEADERS, END_STREAM, 1, GET)).await;
        let trickle = async {
            for byte in frame(CONTINUATION, 0, 1, &[0; 16_000]) {
                let written = tokio::io::AsyncWriteExt::write_u8(&mut client.stream, byte);
                if written.await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, trickle).await.unwrap();
    });
}

/// A client that has got an answer and says nothing more, and its proxy.
async fn answered(options: ServerOptions) -> (Proxy, RawClient) {
    let (upstream, _) = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let proxy = Proxy::start_with(&upstream.http(), with_server(options));
    let mut client = proxy.connect().await;
    client.send(client_preface()).await;
    let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, GET);
    client.send(request).await;
    while read_frame(&mut client).await != HEADERS {}
    (proxy, client)
}

#[test]
fn an_idle_connection_is_closed_though_its_client_says_nothing() {
    run(async {
        let options = ServerOptions {
            keep_alive_timeout: SHORT,
            close_linger: SHORT,
            ..ServerOptions::default()
        };
        let (_proxy, mut client) = answered(options).await;
        tokio::time::timeout(SOON, client.closes()).await.unwrap();
    });
}

#[test]
fn draining_does_not_wait_long_for_an_idle_client_that_says_nothing() {
    run(async {
        let options = ServerOptions {
            close_linger: SHORT,
            ..ServerOptions::default()
        };
        let (proxy, _client) = answered(options).await;
        proxy.drain.start();
        let served = tokio::time::timeout(SOON, proxy.served).await.unwrap();
        assert_eq!(served.unwrap().unwrap().cut_off, 0);
    });
}

#[test]
fn a_response_without_its_end_does_not_look_complete() {
    run(async {
        let begun = Rc::new(Notify::new());
        let read = Rc::clone(&begun);
        let upstream = Upstream::start(move |_, mut connection| {
            let read = Rc::clone(&read);
            async move {
                accept(&mut connection).await;
                let response = [
                    frame(HEADERS, END_HEADERS, 1, OK),
                    frame(DATA, 0, 1, b"part"),
                ];
                connection.send(response.concat()).await;
                read.notified().await;
                let no_error = 0_u32.to_be_bytes();
                connection.send(frame(RST_STREAM, 0, 1, &no_error)).await;
                connection.closes().await;
            }
        })
        .await;
        let proxy = Proxy::start(&format!("h2c://{}", upstream.address));
        let mut client = proxy.connect().await;
        let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        client.send(request).await;
        let head = client.read_head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        begun.notify_one();
        assert_eq!(client.read_to_end().await, "4\r\npart\r\n");
    });
}

#[test]
fn a_response_that_needs_no_more_of_the_request_is_complete() {
    run(async {
        let upstream = Upstream::start(|_, mut connection| async move {
            accept(&mut connection).await;
            let no_error = 0_u32.to_be_bytes();
            let response = [
                frame(HEADERS, END_HEADERS, 1, OK),
                frame(DATA, END_STREAM, 1, b"all"),
                frame(RST_STREAM, 0, 1, &no_error),
            ];
            connection.send(response.concat()).await;
            connection.closes().await;
        })
        .await;
        let proxy = Proxy::start(&format!("h2c://{}", upstream.address));
        let mut client = proxy.connect().await;
        let response = client
            .exchange("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npart")
            .await;
        assert_eq!(response.unchunked(), "all");
    });
}

#[test]
fn refuses_values_with_blanks_around_them() {
    run(async {
        let (upstream, _) =
            Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = connect(proxy.address).await;
        for (value, status) in [
            (" a", 400),
            ("a ", 400),
            ("\ta", 400),
            ("a\t", 400),
            (" ", 400),
            ("a b", 200),
            ("", 200),
        ] {
            let mut request = get("/");
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert("x", value.clone());
            let response = client.send_request(request).await.unwrap();
            assert_eq!(response.status(), status, "{value:?}");
        }
    });
}

//! Stopping without losing a request.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proxy_wasi_runtime::server::ServerOptions;
use tokio::net::TcpStream;

use super::support::{Options, Proxy, RawClient, Upstream, eventually, run};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn with_server(server: ServerOptions) -> Options {
    Options {
        server,
        ..Options::default()
    }
}

/// An upstream that answers when told to.
async fn waiting_upstream() -> (Upstream, Rc<tokio::sync::Semaphore>) {
    let release = Rc::new(tokio::sync::Semaphore::new(0));
    let gate = Rc::clone(&release);
    let upstream = Upstream::start(move |_, mut connection| {
        let gate = Rc::clone(&gate);
        async move {
            while connection.try_read_message().await.is_some() {
                gate.acquire().await.unwrap().forget();
                connection.send(OK).await;
            }
        }
    })
    .await;
    (upstream, release)
}

#[test]
fn open_exchanges_end_and_nobody_new_is_accepted() {
    run(async {
        let (upstream, release) = waiting_upstream().await;
        let proxy = Proxy::start(&upstream.http());
        let mut client = proxy.connect().await;
        client.send(GET).await;
        eventually(|| proxy.pending.get() == 1).await;
        proxy.drain.start();
        while TcpStream::connect(proxy.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        release.add_permits(1);
        let response = client.read_message().await;
        assert_eq!(
            (response.status(), response.field("connection")),
            (200, Some("close"))
        );
        assert!(client.is_closed().await);
        let served = proxy.served.await.unwrap().unwrap();
        assert_eq!(served.cut_off, 0);
    });
}

#[test]
fn an_idle_connection_may_still_send_a_request() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let proxy = Proxy::start(&upstream.http());
        let mut talking = proxy.connect().await;
        let mut quiet = proxy.connect().await;
        let mut fresh = proxy.connect().await;
        talking.exchange(GET).await;
        quiet.exchange(GET).await;
        proxy.drain.start();
        tokio::time::sleep(Duration::from_millis(300)).await;
        for client in [&mut talking, &mut fresh] {
            let response = client.exchange(GET).await;
            assert_eq!(
                (response.status(), response.field("connection")),
                (200, Some("close"))
            );
            assert!(client.is_closed().await);
        }
        assert!(quiet.is_closed().await);
        assert_eq!(proxy.served.await.unwrap().unwrap().accepted, 3);
    });
}

#[test]
fn connections_that_wait_in_the_kernel_are_served() {
    run(async {
        let (upstream, _) = Upstream::answering(OK).await;
        let proxy = Proxy::start(&upstream.http());
        // The server has not run yet, so nothing is accepted.
        let mut clients = Vec::new();
        for _ in 0..200 {
            let stream = std::net::TcpStream::connect(proxy.address).unwrap();
            stream.set_nonblocking(true).unwrap();
            clients.push(RawClient::new(TcpStream::from_std(stream).unwrap()));
        }
        proxy.drain.start();
        for client in &mut clients {
            assert_eq!(client.exchange(GET).await.status(), 200);
        }
        drop(clients);
        assert_eq!(proxy.served.await.unwrap().unwrap().accepted, 200);
    });
}

#[test]
fn the_grace_period_ends_what_does_not_end_itself() {
    run(async {
        let (upstream, _release) = waiting_upstream().await;
        let options = with_server(ServerOptions {
            drain_grace: Duration::from_millis(100),
            ..ServerOptions::default()
        });
        let proxy = Proxy::start_with(&upstream.http(), options);
        let mut client = proxy.connect().await;
        client.send(GET).await;
        eventually(|| proxy.pending.get() == 1).await;
        proxy.drain.start();
        assert!(client.is_closed().await);
        assert_eq!(proxy.served.await.unwrap().unwrap().cut_off, 1);
        assert_eq!(proxy.pending.get(), 0);
    });
}

/// Sends requests as fast as it can, from a thread of its own, until nobody listens any more; how many were answered.
fn load(address: SocketAddr, answered: &AtomicUsize) {
    while let Ok(mut stream) = std::net::TcpStream::connect(address) {
        stream.set_nodelay(true).unwrap();
        let mut response = [0; 1000];
        loop {
            stream.write_all(GET.as_bytes()).unwrap();
            let length = stream.read(&mut response).unwrap();
            let text = std::str::from_utf8(&response[..length]).unwrap();
            assert!(
                text.starts_with("HTTP/1.1 200 OK") && text.ends_with("ok"),
                "lost: {text:?}"
            );
            answered.fetch_add(1, Ordering::Relaxed);
            if text.contains("connection: close") {
                break;
            }
        }
    }
}

#[test]
fn draining_under_load_loses_no_request() {
    for _ in 0..5 {
        run(async {
            let (upstream, _) = Upstream::answering(OK).await;
            let proxy = Proxy::start(&upstream.http());
            let address = proxy.address;
            let answered = Arc::new(AtomicUsize::new(0));
            let clients: Vec<_> = (0..10)
                .map(|_| {
                    let answered = Arc::clone(&answered);
                    std::thread::spawn(move || load(address, &answered))
                })
                .collect();
            eventually(|| answered.load(Ordering::Relaxed) > 100).await;
            proxy.drain.start();
            assert_eq!(proxy.served.await.unwrap().unwrap().cut_off, 0);
            for client in clients {
                client.join().unwrap();
            }
        });
    }
}

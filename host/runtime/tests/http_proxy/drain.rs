//! Stopping without losing a request.

use std::cell::Cell;
use std::rc::Rc;
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
        tokio::time::sleep(Duration::from_millis(50)).await;
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

/// Sends requests as fast as it can until it is told to stop; how many were answered, and how many were not.
async fn load(address: std::net::SocketAddr, answered: Rc<Cell<usize>>, lost: Rc<Cell<usize>>) {
    while let Ok(stream) = TcpStream::connect(address).await {
        let mut client = RawClient::new(stream);
        loop {
            client.send(GET).await;
            match client.try_read_message().await {
                Some(response) => {
                    assert_eq!(response.status(), 200);
                    answered.set(answered.get() + 1);
                    if response.field("connection") == Some("close") {
                        break;
                    }
                }
                None => {
                    lost.set(lost.get() + 1);
                    break;
                }
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
            let (answered, lost) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let clients: Vec<_> = (0..20)
                .map(|_| {
                    tokio::task::spawn_local(load(
                        proxy.address,
                        Rc::clone(&answered),
                        Rc::clone(&lost),
                    ))
                })
                .collect();
            eventually(|| answered.get() > 200).await;
            proxy.drain.start();
            let served = proxy.served.await.unwrap().unwrap();
            for client in clients {
                client.await.unwrap();
            }
            assert_eq!((lost.get(), served.cut_off), (0, 0));
        });
    }
}

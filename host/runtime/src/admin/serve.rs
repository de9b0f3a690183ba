//! The endpoint's socket and thread.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::LocalSet;

use super::Subject;
use super::respond::respond;

/// Connections at a time; more wait in the kernel. Scrapers and probes come one at a time.
pub const MAX_CONNECTIONS: usize = 32;

/// For one connection, which serves one request: enough for the largest scrape over a slow link. Prometheus itself gives
/// up after 10 s.
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a request's head. Nothing that is asked here is long.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Before accepting again after an error: the process may be out of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The running endpoint. Dropping it ends it, with what it is answering.
#[derive(Debug)]
pub struct AdminServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl AdminServer {
    /// Serves on a bound, non-blocking listener, from a thread of its own.
    ///
    /// # Errors
    ///
    /// The listener cannot be used, or no thread can be started.
    pub fn start(listener: TcpListener, subject: Subject) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("admin".to_owned())
            .spawn(move || {
                LocalSet::new().block_on(&runtime, async {
                    tokio::select! {
                        // An error means that the other end is gone, which is the same.
                        _ = stopped => {}
                        never = accept_forever(listener, Arc::new(subject)) => never,
                    }
                });
            })?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the admin endpoint's thread panicked");
        }
    }
}

async fn accept_forever(listener: tokio::net::TcpListener, subject: Arc<Subject>) -> ! {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            std::future::pending().await
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let subject = Arc::clone(&subject);
                tokio::task::spawn_local(async move {
                    serve(stream, &subject).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "the admin endpoint could not accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, subject: &Subject) {
    let service =
        service_fn(|request| std::future::ready(Ok::<_, Infallible>(respond(subject, &request))));
    let serving = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_TIMEOUT, serving).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection of the admin endpoint failed"),
        Err(_elapsed) => tracing::debug!("a connection of the admin endpoint took too long"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::server;

    fn start() -> AdminServer {
        let listener = server::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let subject = Subject {
            metrics: Default::default(),
            state: Default::default(),
            readiness: Default::default(),
        };
        AdminServer::start(listener, subject).unwrap()
    }

    fn send(server: &AdminServer, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn answers_over_a_socket() {
        let server = start();
        let answer = send(
            &server,
            b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        );
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.contains("content-type: text/plain; version=0.0.4\r\n"),
            "{answer}"
        );
        assert!(answer.contains("\nproxy_wasi_build_info{"), "{answer}");
        let head = send(
            &server,
            b"HEAD /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        );
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let server = start();
        for bytes in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost a\r\n\r\n",
        ] {
            let answer = send(&server, bytes);
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        }
        let mut long = b"GET / HTTP/1.1\r\nhost: a\r\nx: ".to_vec();
        long.resize(2 * MAX_HEAD_BYTES, b'x');
        let mut stream = TcpStream::connect(server.address()).unwrap();
        // It may answer, and close, before it has taken all of it.
        let _ = stream.write_all(&long);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }

    #[test]
    fn ends_when_dropped() {
        let server = start();
        let address = server.address();
        let idle = TcpStream::connect(address).unwrap();
        drop(server);
        assert!(TcpStream::connect(address).is_err());
        drop(idle);
    }
}

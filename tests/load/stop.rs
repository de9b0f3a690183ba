//! SIGTERM under load.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use proxy_wasi_test_support::{Example, Kind};

use crate::{alone, proxy};

/// What became of a request.
enum Outcome {
    Answered,
    /// The connection was not accepted any more.
    Refused,
    Lost(String),
}

/// Whatever the proxy has accepted it answers, whole; whatever comes later is refused, not swallowed.
#[test]
fn no_accepted_request_is_lost() {
    let _alone = alone();
    let proxy = proxy()
        .arg(Example::Headers.file(Kind::Legacy))
        .arg(Example::Headers.file(Kind::Wit))
        .workers(2)
        .start();
    let address = proxy.address();
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        match ask(address) {
                            Outcome::Answered => _ = answered.fetch_add(1, Ordering::Relaxed),
                            Outcome::Refused => return,
                            Outcome::Lost(how) => panic!("a request was lost: {how}"),
                        }
                    }
                })
            })
            .collect();
        // In the middle of it.
        while answered.load(Ordering::Relaxed) < 500 {
            thread::yield_now();
        }
        proxy.terminate();
        for client in clients {
            client.join().unwrap();
        }
    });
    let ended = proxy.wait();
    assert!(ended.status.success(), "{ended:?}");
}

/// One request on a connection of its own.
fn ask(address: SocketAddr) -> Outcome {
    let mut stream = match TcpStream::connect(address) {
        Ok(stream) => stream,
        // A reset: the listener has gone between the two halves of the handshake.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
            ) =>
        {
            return Outcome::Refused;
        }
        Err(error) => return Outcome::Lost(format!("connecting: {error}")),
    };
    let request = "GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let mut response = String::new();
    let exchanged = stream
        .write_all(request.as_bytes())
        .and_then(|()| stream.read_to_string(&mut response));
    match exchanged {
        Ok(_) if response.starts_with("HTTP/1.1 200") && response.contains("/last") => {
            Outcome::Answered
        }
        Ok(_) => Outcome::Lost(format!("the response is `{response}`")),
        Err(error) => Outcome::Lost(format!("after connecting: {error}")),
    }
}

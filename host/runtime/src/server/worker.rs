//! Accepts connections, watches over them, and ends them when draining.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use slab::Slab;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::connection::{ConnectionInfo, ConnectionState, DownstreamProtocol, Order};
use super::drain::DrainSignal;
use super::http::{OnRefused, Protocols, protocols, serve_connection};
use super::io::ConnectionIo;
use super::options::ServerOptions;
use crate::BoxError;
use crate::clock::{CoarseClock, sweep_interval};

/// Before accepting again when the process has no file descriptor left: time for exchanges to end.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Between two lines in the log that say so: it may last, and there is one try after the other.
const ACCEPT_WARNING: Duration = Duration::from_secs(10);

/// How [`serve`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// Connections accepted in all.
    pub accepted: u64,
    /// Connections that were closed with an open exchange when the grace period was over.
    pub cut_off: usize,
}

/// Serves HTTP/1 and HTTP/2 with prior knowledge on `listener` until `drain` starts, then until the open exchanges
/// have ended or the grace period is over.
///
/// `service` is called once per request, with the request as received: see [`intermediary`](super::intermediary) for
/// what has to be done to it. Requests that are refused before, because of their framing or because they are none, are
/// told to `on_refused`, with the status that they were answered with. An error of the service, or one of its response
/// body, ends the connection (HTTP/1) or resets the stream (HTTP/2), so that the client sees that the response is
/// incomplete. A client that goes away drops the service's future or body.
///
/// When draining, connections that wait in the kernel are still accepted, HTTP/1 responses say `connection: close`,
/// idle connections get a moment for a request on its way, HTTP/2 connections get a GOAWAY.
///
/// Must run inside of a `LocalSet`. Dropping the future stops accepting; open connections are served on, without
/// timeouts.
///
/// # Errors
///
/// Returns an error if the listener cannot be used with this runtime. Failures of single connections are logged.
pub async fn serve<S, F, B>(
    listener: TcpListener,
    service: S,
    on_refused: OnRefused,
    options: ServerOptions,
    mut drain: DrainSignal,
) -> io::Result<Served>
where
    S: Fn(Request<Incoming>, Rc<ConnectionInfo>) -> F + 'static,
    F: Future<Output = Result<Response<B>, BoxError>> + 'static,
    B: Body<Data = Bytes, Error = BoxError> + Unpin + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let worker = Rc::new(Worker::new(listener.local_addr()?, on_refused, options));
    let service = Rc::new(service);
    let mut served = Served::default();
    let mut accept = |worker: &Rc<Worker>, stream, peer| {
        served.accepted += 1;
        worker.start_connection(stream, peer, &service);
    };
    {
        let sweep = worker.sweep_forever();
        let accept_all = async {
            let mut warned_at = None;
            loop {
                worker.wait_for_room().await;
                match listener.accept().await {
                    Ok((stream, peer)) => accept(&worker, stream, peer),
                    Err(error) => recover(&error, &mut warned_at).await,
                }
            }
        };
        tokio::select! {
            biased;
            () = drain.started() => {}
            never = sweep => never,
            never = accept_all => never,
        }
    }
    // What the kernel has completed has a client that believes to be served. Asking the kernel itself finds also
    // what the runtime has not noticed yet.
    let listener = listener.into_std()?;
    while let Ok((stream, peer)) = listener.accept() {
        stream.set_nonblocking(true)?;
        accept(&worker, TcpStream::from_std(stream)?, peer);
    }
    drop(listener);
    served.cut_off = worker.drain().await;
    Ok(served)
}

async fn recover(error: &io::Error, warned_at: &mut Option<Instant>) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    // These concern a connection that is gone already; all others concern the process.
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    ) {
        let now = Instant::now();
        if warned_at.is_none_or(|at| now.duration_since(at) >= ACCEPT_WARNING) {
            tracing::warn!(%error, "connections cannot be accepted, and wait; trying again");
            *warned_at = Some(now);
        }
        tokio::time::sleep(ACCEPT_RETRY).await;
    }
}

/// The connections of one worker.
struct Worker {
    local: SocketAddr,
    on_refused: OnRefused,
    options: ServerOptions,
    protocols: Rc<Protocols>,
    clock: Rc<CoarseClock>,
    connections: RefCell<Slab<Rc<ConnectionState>>>,
    /// Notified when a connection ends.
    ended: Notify,
}

impl Worker {
    fn new(local: SocketAddr, on_refused: OnRefused, options: ServerOptions) -> Self {
        Self {
            local,
            on_refused,
            protocols: Rc::new(protocols(&options)),
            options,
            clock: Rc::default(),
            connections: RefCell::default(),
            ended: Notify::new(),
        }
    }

    fn start_connection<S, F, B>(
        self: &Rc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        service: &Rc<S>,
    ) where
        S: Fn(Request<Incoming>, Rc<ConnectionInfo>) -> F + 'static,
        F: Future<Output = Result<Response<B>, BoxError>> + 'static,
        B: Body<Data = Bytes, Error = BoxError> + Unpin + 'static,
    {
        // Heads and the ends of bodies are small writes that the client waits for.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "client is gone");
            return;
        }
        self.clock.advance();
        // The listener's address may be a wildcard.
        let local = stream.local_addr().unwrap_or(self.local);
        let state = Rc::new(ConnectionState::new(peer, local, Rc::clone(&self.clock)));
        let key = self.connections.borrow_mut().insert(Rc::clone(&state));
        let entry = ConnectionEntry {
            worker: Rc::clone(self),
            key,
        };
        let io = ConnectionIo::new(stream, Rc::clone(&state), self.options.max_head_bytes);
        let connection = serve_connection(
            io,
            Rc::clone(&self.protocols),
            Rc::clone(service),
            Rc::clone(&self.on_refused),
            state,
        );
        tokio::task::spawn_local(async move {
            let _entry = entry;
            connection.await;
        });
    }

    fn len(&self) -> usize {
        self.connections.borrow().len()
    }

    async fn wait_for_room(&self) {
        while self.len() >= self.options.max_connections {
            self.ended.notified().await;
        }
    }

    /// Enforces the timeouts. One look at all connections now and then is cheaper than a timer for each.
    async fn sweep_forever<T>(&self) -> T {
        let interval = sweep_interval(&[
            self.options.header_read_timeout,
            self.options.keep_alive_timeout,
            self.options.idle_timeout,
            self.options.close_linger,
        ]);
        loop {
            tokio::time::sleep(interval).await;
            self.sweep(self.clock.advance());
        }
    }

    fn sweep(&self, now: Instant) {
        for (_, connection) in self.connections.borrow().iter() {
            connection.give_order(self.judge(connection, now));
        }
    }

    fn judge(&self, connection: &ConnectionState, now: Instant) -> Order {
        let options = &self.options;
        let passed = |since: Option<Instant>, limit: Duration| {
            since.is_some_and(|since| now.duration_since(since) >= limit)
        };
        let quiet_since = connection.active_at();
        if passed(connection.lingers_since(), options.close_linger) {
            Order::Close
        } else if connection.exchanges() > 0 {
            // An exchange that waits ends by the same limit, with a response that says so, which takes a moment. Other
            // streams, or pings, must not keep a stalled stream alive for good.
            let answered_by = options.idle_timeout.saturating_add(options.close_linger);
            let stalled = passed(Some(quiet_since), answered_by)
                || passed(connection.stalled_since(), options.idle_timeout);
            if stalled { Order::Close } else { Order::Serve }
        } else if passed(connection.head_since(), options.header_read_timeout) {
            Order::Close
        } else if let Some(since) = connection.finishing_since() {
            // An HTTP/2 client has been told, and should have closed. What it still reads are responses; pings and
            // pieces of a head must not keep the connection for good.
            let silent = passed(Some(since.max(quiet_since)), options.close_linger);
            let begun = since.max(connection.idle_since());
            if silent || passed(Some(begun), options.idle_timeout) {
                Order::Close
            } else {
                Order::Serve
            }
        } else if connection.head_since().is_none()
            && passed(Some(connection.idle_since()), options.keep_alive_timeout)
        {
            Order::Finish
        } else {
            Order::Serve
        }
    }

    /// Ends all connections, and says how many had an open exchange when the patience was over.
    async fn drain(&self) -> usize {
        let begun = self.clock.advance();
        for (_, connection) in self.connections.borrow().iter() {
            connection.start_draining();
            // GOAWAY lets a client know which requests are served; HTTP/1 has no such thing.
            if connection.protocol() == Some(DownstreamProtocol::Http2) {
                connection.give_order(Order::Finish);
            }
        }
        let grace = tokio::time::sleep_until(begun + self.options.drain_grace);
        let sweep = async {
            loop {
                tokio::time::sleep(sweep_interval(&[self.options.drain_linger])).await;
                let now = self.clock.advance();
                self.sweep(now);
                self.finish_idle(now, begun);
            }
        };
        tokio::select! {
            () = self.wait_until_empty() => return 0,
            () = grace => {}
            never = sweep => never,
        }
        let mut cut_off = 0;
        for (_, connection) in self.connections.borrow().iter() {
            cut_off += usize::from(connection.exchanges() > 0);
            connection.give_order(Order::Close);
        }
        self.wait_until_empty().await;
        cut_off
    }

    /// Ends connections that were idle for the linger time since draining began.
    fn finish_idle(&self, now: Instant, begun: Instant) {
        for (_, connection) in self.connections.borrow().iter() {
            let quiet_since = connection.active_at().max(begun);
            if connection.exchanges() == 0
                && now.duration_since(quiet_since) >= self.options.drain_linger
            {
                connection.give_order(Order::Finish);
            }
        }
    }

    async fn wait_until_empty(&self) {
        while self.len() > 0 {
            self.ended.notified().await;
        }
    }
}

/// A connection's place in the worker's list.
struct ConnectionEntry {
    worker: Rc<Worker>,
    key: usize,
}

impl Drop for ConnectionEntry {
    fn drop(&mut self) {
        self.worker.connections.borrow_mut().remove(self.key);
        self.worker.ended.notify_one();
    }
}

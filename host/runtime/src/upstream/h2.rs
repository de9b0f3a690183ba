//! HTTP/2 to an upstream, with prior knowledge or negotiated over TLS: one connection carries all exchanges.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::body::{RequestBody, UpstreamBody};
use super::client::Deadline;
use super::connect::connect;
use super::connection::{SentRequest, UpstreamConnection};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::h1;
use super::pool::Pool;
use super::tls::{Negotiated, Offer};
use crate::BoxError;
use crate::executor::LocalExecutor;

/// The place of a cluster's HTTP/2 connection.
pub(super) struct H2Slot<B> {
    state: RefCell<State<B>>,
    used_at: Cell<Instant>,
    /// Of the newest connection.
    known: RefCell<Option<Rc<UpstreamConnection>>>,
    /// Tells connections apart.
    generation: Cell<u64>,
}

enum State<B> {
    Closed,
    Connecting(Rc<Attempt>),
    Open(SendRequest<RequestBody<B>>),
}

/// A connection in the making, waited for by all requests of that time.
///
/// It runs as a task of its own: the request that began it may be cancelled, the others still want the connection.
#[derive(Default)]
struct Attempt {
    finished: Notify,
    /// The kind, and what the error came from if anything.
    failure: OnceCell<(UpstreamErrorKind, Option<String>)>,
}

impl<B> Default for H2Slot<B> {
    fn default() -> Self {
        Self {
            state: RefCell::new(State::Closed),
            used_at: Cell::new(Instant::now()),
            known: RefCell::default(),
            generation: Cell::new(0),
        }
    }
}

impl<B> H2Slot<B> {
    /// Lets go of a connection that was not used for `timeout`, or is closed. Exchanges on it end undisturbed.
    pub(super) fn sweep(&self, now: Instant, timeout: Duration) {
        let mut state = self.state.borrow_mut();
        if let State::Open(sender) = &*state
            && (sender.is_closed() || self.used_at.get() + timeout <= now)
        {
            *state = State::Closed;
        }
    }

    /// Lets go of a connection that may be dead, so that the next request makes a new one.
    fn distrust(&self, generation: u64) {
        let mut state = self.state.borrow_mut();
        if self.generation.get() == generation && matches!(*state, State::Open(_)) {
            *state = State::Closed;
        }
    }
}

impl<B> fmt::Debug for H2Slot<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("H2Slot")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// Sends a request whose head is already fit for HTTP/2.
pub(super) async fn send<B>(
    pool: &Rc<Pool<B>>,
    request: Request<RequestBody<B>>,
) -> Result<Response<UpstreamBody<B>>, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let progress = request.body().progress();
    let mut request = request;
    let mut retried = false;
    loop {
        let Acquired::Http2(mut sender) = acquire(pool).await? else {
            // The server has changed its mind since the head was made for HTTP/2.
            return Err(UpstreamError::new(
                UpstreamErrorKind::Reset,
                &pool.name,
                None,
            ));
        };
        let generation = pool.h2.generation.get();
        let connection = pool.h2.known.borrow().clone();
        pool.h2.used_at.set(Instant::now());
        let mut deadline = Deadline::new(&pool.options, progress.clone(), None);
        let result = {
            let mut exchange = pin!(sender.try_send_request(request));
            poll_fn(|cx| match exchange.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(Ok(result)),
                Poll::Pending => deadline.poll_passed(cx).map(Err),
            })
            .await
        };
        match result {
            Ok(Ok(response)) => {
                let (parts, incoming) = response.into_parts();
                let sent = SentRequest {
                    connection,
                    at: deadline.started(),
                };
                let body = UpstreamBody::new(
                    incoming,
                    None,
                    progress,
                    Rc::clone(&pool.name),
                    sent,
                    pool.options.idle_timeout,
                );
                return Ok(Response::from_parts(parts, body));
            }
            Ok(Err(mut error)) => match error.take_message() {
                // The connection had ended before the request was begun.
                Some(unsent) if !retried => {
                    pool.h2.distrust(generation);
                    retried = true;
                    request = unsent;
                }
                Some(_) | None => return Err(deadline.explain(&pool.name, error.into_error())),
            },
            Err(kind) => {
                pool.h2.distrust(generation);
                return Err(UpstreamError::new(kind, &pool.name, None));
            }
        }
    }
}

/// Connections that a request waits for, each of which may be lost before it is used.
const MAX_ATTEMPTS: usize = 3;

/// What a request can be sent on.
enum Acquired<B> {
    Http2(SendRequest<RequestBody<B>>),
    /// The server has the choice, and prefers HTTP/1.1.
    Http1,
}

/// Finds out what the server of an `https://` cluster speaks, by a connection if need be, which the request then finds
/// ready.
pub(super) async fn negotiate<B>(pool: &Rc<Pool<B>>) -> Result<Negotiated, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    Ok(match acquire(pool).await? {
        Acquired::Http2(_) => Negotiated::Http2,
        Acquired::Http1 => Negotiated::Http1,
    })
}

async fn acquire<B>(pool: &Rc<Pool<B>>) -> Result<Acquired<B>, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    for _ in 0..MAX_ATTEMPTS {
        if pool.prefers_http1.get() {
            return Ok(Acquired::Http1);
        }
        let attempt = {
            let mut state = pool.h2.state.borrow_mut();
            match &*state {
                State::Open(sender) if !sender.is_closed() => {
                    return Ok(Acquired::Http2(sender.clone()));
                }
                State::Connecting(attempt) => Rc::clone(attempt),
                State::Open(_) | State::Closed => {
                    let attempt = Rc::new(Attempt::default());
                    *state = State::Connecting(Rc::clone(&attempt));
                    tokio::task::spawn_local(establish(Rc::clone(pool), Rc::clone(&attempt)));
                    attempt
                }
            }
        };
        attempt.finished.notified().await;
        if let Some((kind, message)) = attempt.failure.get() {
            return Err(UpstreamError::new(
                *kind,
                &pool.name,
                message.as_deref().map(Into::into),
            ));
        }
    }
    Err(UpstreamError::new(
        UpstreamErrorKind::Reset,
        &pool.name,
        None,
    ))
}

async fn establish<B>(pool: Rc<Pool<B>>, attempt: Rc<Attempt>)
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let state = match open(&pool).await {
        Ok(Acquired::Http1) => State::Closed,
        Ok(Acquired::Http2(sender)) => {
            pool.h2.generation.set(pool.h2.generation.get() + 1);
            pool.h2.used_at.set(Instant::now());
            State::Open(sender)
        }
        Err(error) => {
            let message = std::error::Error::source(&error).map(ToString::to_string);
            // The cell is empty: each attempt is established once.
            let _ = attempt.failure.set((error.kind(), message));
            State::Closed
        }
    };
    *pool.h2.state.borrow_mut() = state;
    attempt.finished.notify_waiters();
}

async fn open<B>(pool: &Rc<Pool<B>>) -> Result<Acquired<B>, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let timeout = pool.options.connect_timeout;
    let (io, negotiated) = connect(&pool.cluster, Offer::Any, timeout).await?;
    if negotiated == Some(Negotiated::Http1) {
        let connection = h1::establish(pool, io, pool.reserve()?).await?;
        pool.put_idle(connection);
        pool.prefers_http1.set(true);
        return Ok(Acquired::Http1);
    }
    let known = UpstreamConnection::of(&io);
    let max_head = u32::try_from(pool.options.max_head_bytes).unwrap_or(u32::MAX);
    let (sender, connection) = http2::Builder::new(LocalExecutor)
        .max_header_list_size(max_head)
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| {
            UpstreamError::new(UpstreamErrorKind::Connect, &pool.name, Some(error.into()))
        })?;
    *pool.h2.known.borrow_mut() = known;
    let name = Rc::clone(&pool.name);
    tokio::task::spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(cluster = &*name, %error, "upstream connection failed");
        }
    });
    Ok(Acquired::Http2(sender))
}

//! HTTP/1.1 to an upstream: a connection serves one exchange at a time.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::body::{Carrier, RequestBody, UpstreamBody};
use super::client::{Deadline, RETRY_AFTER_IDLE};
use super::connect::connect;
use super::connection::{SentRequest, UpstreamConnection};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::io::UpstreamIo;
use super::pool::{OpenGuard, Pool};
use super::tls::Offer;
use crate::BoxError;
use crate::clock::LazySleep;

/// A connection and what is reused with it.
///
/// Dropping it closes the connection, whatever is in progress.
pub(super) struct H1Connection<B> {
    sender: SendRequest<RequestBody<B>>,
    task: AbortHandle,
    /// Weak, since the pool owns the idle connections.
    pool: Weak<Pool<B>>,
    /// Reused by all exchanges, each of which takes it and brings it back.
    pub(super) timer: Option<LazySleep>,
    pub(super) idle_since: Instant,
    known: Option<Rc<UpstreamConnection>>,
    _open: OpenGuard,
}

impl<B> Drop for H1Connection<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<B> fmt::Debug for H1Connection<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("H1Connection").finish_non_exhaustive()
    }
}

impl<B> H1Connection<B> {
    /// True if the connection is open and waits for a request.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }
}

impl<B: 'static> H1Connection<B> {
    /// Gives the connection back after a complete response.
    ///
    /// One whose request is incomplete is closed: the upstream would take the rest of the body for the next request.
    pub(super) fn release(self, request_done: bool) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        if self.sender.is_ready() {
            pool.put_idle(self);
        } else if request_done && !self.sender.is_closed() {
            // The end of the request is still being written. Rare: the response overtook it.
            let mut connection = self;
            let timeout = pool.options.release_timeout;
            drop(pool);
            tokio::task::spawn_local(async move {
                let ready = tokio::time::timeout(timeout, connection.sender.ready()).await;
                if let (Ok(Ok(())), Some(pool)) = (ready, connection.pool.upgrade()) {
                    pool.put_idle(connection);
                }
            });
        }
    }
}

/// Sends a request whose head is already fit for HTTP/1.1.
pub(super) async fn send<B>(
    pool: &Rc<Pool<B>>,
    request: Request<RequestBody<B>>,
) -> Result<Response<UpstreamBody<B>>, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let mut request = request;
    let mut sent_again = false;
    loop {
        // If one connection was stale, the others may be so, too.
        let idle = if sent_again { None } else { pool.take_idle() };
        let (mut connection, reused) = match idle {
            Some(connection) => (connection, true),
            // Boxed: rare, and larger than all the rest.
            None => (Box::pin(open(pool)).await?, false),
        };
        let progress = request.body().progress();
        let mut deadline = Deadline::new(&pool.options, progress.clone(), connection.timer.take());
        let suspect = connection.idle_since.into_std() + RETRY_AFTER_IDLE <= deadline.started();
        // In a box: it is rarely there, and would make every exchange's future larger.
        let copy = (reused && suspect)
            .then(|| safe_copy(&request).map(Box::new))
            .flatten();
        let result = {
            let mut exchange = pin!(connection.sender.try_send_request(request));
            poll_fn(|cx| match exchange.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(Ok(result)),
                Poll::Pending => deadline.poll_passed(cx).map(Err),
            })
            .await
        };
        match result {
            Ok(Ok(response)) => {
                let sent = SentRequest {
                    connection: connection.known.clone(),
                    at: deadline.started(),
                };
                connection.timer = deadline.into_timer();
                let (parts, incoming) = response.into_parts();
                let body = UpstreamBody::new(
                    incoming,
                    Carrier::Http1(connection),
                    progress,
                    Rc::clone(&pool.name),
                    sent,
                    pool.options.idle_timeout,
                );
                return Ok(Response::from_parts(parts, body));
            }
            // The upstream had closed the pooled connection before a byte was written; each failure
            // takes one connection out of the pool, so this ends with a new one.
            Ok(Err(mut error)) => match error.take_message() {
                Some(unsent) if reused => request = unsent,
                Some(_) | None => {
                    let failure = deadline.explain(&pool.name, error.into_error());
                    match copy {
                        Some(copy) if failure.kind() == UpstreamErrorKind::Reset => {
                            tracing::debug!(
                                cluster = &*pool.name,
                                "an idle connection had ended; the request is sent again"
                            );
                            request = *copy;
                            sent_again = true;
                        }
                        Some(_) | None => return Err(failure),
                    }
                }
            },
            Err(kind) => return Err(UpstreamError::new(kind, &pool.name, None)),
        }
    }
}

/// The same request, if it changes nothing to send it twice and there is no body to keep.
fn safe_copy<B: Body>(request: &Request<RequestBody<B>>) -> Option<Request<RequestBody<B>>> {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let bodiless = request.body().progress().is_none();
    (safe && bodiless).then(|| {
        let mut copy = Request::new(RequestBody::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        copy
    })
}

async fn open<B>(pool: &Rc<Pool<B>>) -> Result<H1Connection<B>, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let guard = pool.reserve()?;
    let timeout = pool.options.connect_timeout;
    let (io, _) = connect(&pool.cluster, Offer::Http1, timeout).await?;
    establish(pool, io, guard).await
}

/// Begins HTTP/1.1 on a new connection.
pub(super) async fn establish<B>(
    pool: &Rc<Pool<B>>,
    io: UpstreamIo,
    guard: OpenGuard,
) -> Result<H1Connection<B>, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let known = UpstreamConnection::of(&io);
    let (sender, connection) = http1::Builder::new()
        .max_header_size(pool.options.max_head_bytes)
        // RFC 9112, 5.1: a proxy removes blanks before the colon.
        .allow_spaces_after_header_name_in_responses(true)
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| {
            UpstreamError::new(UpstreamErrorKind::Connect, &pool.name, Some(error.into()))
        })?;
    let name = Rc::clone(&pool.name);
    let task = tokio::task::spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(cluster = &*name, %error, "upstream connection failed");
        }
    });
    Ok(H1Connection {
        sender,
        task: task.abort_handle(),
        pool: Rc::downgrade(pool),
        timer: None,
        idle_since: Instant::now(),
        known,
        _open: guard,
    })
}

//! HTTP/2 to an upstream, with prior knowledge or negotiated over TLS: one connection carries as many exchanges as its
//! server allows, and there is another one for more.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::time::Instant;

use super::body::{Carrier, RequestBody, UpstreamBody};
use super::client::Deadline;
use super::connect::connect;
use super::connection::SentRequest;
use super::error::{UpstreamError, UpstreamErrorKind};
use super::h1;
use super::pool::Pool;
use super::tls::{Negotiated, Offer};
use crate::BoxError;

mod connections;
mod establish;

use connections::{Attempt, OpenStream, Opened};
pub(super) use connections::{H2Connections, StreamGuard};

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
        let Acquired::Http2(mut stream) = acquire(pool).await? else {
            // The server has changed its mind since the head was made for HTTP/2.
            return Err(UpstreamError::new(
                UpstreamErrorKind::Reset,
                &pool.name,
                None,
            ));
        };
        request.body_mut().occupy(&stream.guard);
        let mut deadline = Deadline::new(&pool.options, progress.clone(), None);
        let result = {
            let mut exchange = pin!(stream.sender.try_send_request(request));
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
                    connection: stream.known,
                    at: deadline.started(),
                };
                let body = UpstreamBody::new(
                    incoming,
                    Carrier::Http2 {
                        _stream: stream.guard,
                    },
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
                    pool.h2.distrust(stream.id);
                    retried = true;
                    request = unsent;
                }
                Some(_) | None => return Err(deadline.explain(&pool.name, error.into_error())),
            },
            Err(kind) => {
                if !kind.is_of_request() {
                    // It may be dead, so that the next request takes another one.
                    pool.h2.distrust(stream.id);
                }
                return Err(UpstreamError::new(kind, &pool.name, None));
            }
        }
    }
}

/// Connections that a request waits for, each of which is lost before it is used.
const MAX_ATTEMPTS: usize = 3;

/// What a request can be sent on.
enum Acquired<B> {
    Http2(OpenStream<B>),
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
    let failed = |kind| Err(UpstreamError::new(kind, &pool.name, None));
    let mut give_up_at = None;
    let mut lost = 0;
    loop {
        if pool.prefers_http1.get() {
            return Ok(Acquired::Http1);
        }
        if let Some(stream) = pool.h2.take_stream() {
            return Ok(Acquired::Http2(stream));
        }
        // Others may take all streams of one new connection after the other.
        let now = Instant::now();
        if now >= *give_up_at.get_or_insert(now + pool.options.connect_timeout) {
            return failed(UpstreamErrorKind::Overloaded);
        }
        let (attempt, is_new) = pool.h2.attempt();
        if is_new {
            tokio::task::spawn_local(make(Rc::clone(pool), Rc::clone(&attempt)));
        }
        attempt.finished.notified().await;
        if let Some((kind, message)) = attempt.failure.get() {
            let source = message.as_deref().map(Into::into);
            return Err(UpstreamError::new(*kind, &pool.name, source));
        }
        if pool.h2.is_empty() && !pool.prefers_http1.get() {
            lost += 1;
            if lost == MAX_ATTEMPTS {
                return failed(UpstreamErrorKind::Reset);
            }
        }
    }
}

async fn make<B>(pool: Rc<Pool<B>>, attempt: Rc<Attempt>)
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let opened = open(&pool).await.unwrap_or_else(|error| {
        let message = std::error::Error::source(&error).map(ToString::to_string);
        // The cell is empty: each attempt is made once.
        let _ = attempt.failure.set((error.kind(), message));
        None
    });
    pool.h2.attempted(opened);
    attempt.finished.notify_waiters();
}

/// None if the server prefers HTTP/1.1, in which case there is a connection now.
async fn open<B>(pool: &Rc<Pool<B>>) -> Result<Option<Opened<B>>, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let timeout = pool.options.connect_timeout;
    let deadline = Instant::now() + timeout;
    let guard = pool.reserve()?;
    let (io, negotiated) = connect(&pool.cluster, Offer::Any, timeout).await?;
    if negotiated == Some(Negotiated::Http1) {
        let connection = h1::establish(pool, io, guard).await?;
        pool.put_idle(connection);
        pool.prefers_http1.set(true);
        return Ok(None);
    }
    let opened = establish::establish(pool, io, guard, deadline).await?;
    if (opened.limit)() == 0 {
        return Err(UpstreamError::new(
            UpstreamErrorKind::Overloaded,
            &pool.name,
            Some("the server allows no streams".into()),
        ));
    }
    Ok(Some(opened))
}

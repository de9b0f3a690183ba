//! The two bodies of an exchange with an upstream: the request's, watched, and the response's, which brings its
//! connection back.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::connection::SentRequest;
use super::error::{UpstreamError, UpstreamErrorKind};
use super::h1::H1Connection;
use super::h2::StreamGuard;
use crate::BoxError;
use crate::clock::LazySleep;
use crate::connection_fields::strip_trailers;

/// How far a request body has come.
#[derive(Debug)]
pub(super) struct Progress {
    moved_at: Cell<Instant>,
    state: Cell<ProgressState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgressState {
    /// The upstream has a part to take.
    Sending,
    /// The upstream has asked for the next part, and there is none yet.
    Waiting,
    Done,
    Failed,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            moved_at: Cell::new(Instant::now()),
            state: Cell::new(ProgressState::Sending),
        }
    }

    /// When the last part of the body was handed over, the next one asked for, or its end seen.
    pub(super) fn moved_at(&self) -> Instant {
        self.moved_at.get()
    }

    pub(super) fn state(&self) -> ProgressState {
        self.state.get()
    }

    fn set(&self, state: ProgressState) {
        // A body may be asked again while it waits.
        if state != ProgressState::Waiting || self.state.get() != ProgressState::Waiting {
            self.moved_at.set(Instant::now());
            self.state.set(state);
        }
    }
}

/// A request body whose progress is watched from outside; empty bodies are not.
pub(super) struct RequestBody<B> {
    /// None for an empty body in another one's place.
    inner: Option<B>,
    progress: Option<Rc<Progress>>,
    /// HTTP/2: the stream is not over before the body is.
    stream: Option<Rc<StreamGuard>>,
}

impl<B: Body> RequestBody<B> {
    pub(super) fn new(inner: B) -> Self {
        let progress = (!inner.is_end_stream()).then(|| Rc::new(Progress::new()));
        Self {
            inner: Some(inner),
            progress,
            stream: None,
        }
    }

    /// A body that is empty from the start.
    pub(super) fn empty() -> Self {
        Self {
            inner: None,
            progress: None,
            stream: None,
        }
    }

    /// Occupies a stream for as long as there is something to send; empty bodies do not.
    pub(super) fn occupy(&mut self, stream: &Rc<StreamGuard>) {
        self.stream = self.progress.is_some().then(|| Rc::clone(stream));
    }

    /// `None` for a body that was empty from the start.
    pub(super) fn progress(&self) -> Option<Rc<Progress>> {
        self.progress.clone()
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let mut polled = Pin::new(&mut *inner).poll_frame(cx);
        let has_ended = inner.is_end_stream();
        if let Some(progress) = &self.progress {
            progress.set(match &polled {
                Poll::Pending => ProgressState::Waiting,
                Poll::Ready(Some(Ok(frame))) if frame.is_data() && !has_ended => {
                    ProgressState::Sending
                }
                Poll::Ready(Some(Ok(_)) | None) => ProgressState::Done,
                Poll::Ready(Some(Err(_))) => ProgressState::Failed,
            });
        }
        if let Poll::Ready(Some(Ok(frame))) = &mut polled {
            strip_trailers(frame);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// The body of an upstream's response.
///
/// Reading it to its end gives the connection back to the worker's pool; dropping it before closes the connection
/// (HTTP/1) or resets the stream (HTTP/2). Waiting for the next part ends with an error after the idle timeout.
pub struct UpstreamBody<B> {
    incoming: Incoming,
    /// What this response occupies, until it has ended.
    carrier: Option<Carrier<B>>,
    /// The request body, if it may still be on its way.
    request: Option<Rc<Progress>>,
    cluster: Rc<str>,
    sent: SentRequest,
    idle: IdleTimer,
}

/// What an exchange occupies.
pub(super) enum Carrier<B> {
    /// A connection.
    Http1(H1Connection<B>),
    /// One of a connection's streams, which others share.
    Http2 {
        /// Counts it.
        _stream: Rc<StreamGuard>,
    },
}

/// Runs only while the body waits.
struct IdleTimer {
    timeout: Duration,
    sleep: Option<LazySleep>,
    waiting: bool,
}

impl IdleTimer {
    /// Uses the `spare` timer the first time, if there is one.
    fn poll_elapsed(
        &mut self,
        cx: &mut Context<'_>,
        spare: impl FnOnce() -> Option<LazySleep>,
    ) -> Poll<()> {
        let deadline = || Instant::now() + self.timeout;
        let sleep = self
            .sleep
            .get_or_insert_with(|| spare().unwrap_or_else(|| LazySleep::new(deadline())));
        if !self.waiting {
            self.waiting = true;
            sleep.set(deadline());
        }
        sleep.poll_elapsed(cx)
    }
}

impl<B: 'static> UpstreamBody<B> {
    pub(super) fn new(
        incoming: Incoming,
        carrier: Carrier<B>,
        request: Option<Rc<Progress>>,
        cluster: Rc<str>,
        sent: SentRequest,
        idle_timeout: Duration,
    ) -> Self {
        let mut body = Self {
            incoming,
            carrier: Some(carrier),
            request,
            cluster,
            sent,
            idle: IdleTimer {
                timeout: idle_timeout,
                sleep: None,
                waiting: false,
            },
        };
        if body.incoming.is_end_stream() {
            body.release();
        }
        body
    }

    /// How the request was sent.
    #[must_use]
    pub fn sent(&self) -> &SentRequest {
        &self.sent
    }

    /// The response is complete: its connection can serve the next request, if this one's request is complete as well.
    fn release(&mut self) {
        if let Some(Carrier::Http1(mut connection)) = self.carrier.take() {
            if let Some(timer) = self.idle.sleep.take() {
                connection.timer = Some(timer);
            }
            let request_done = self
                .request
                .take()
                .is_none_or(|progress| progress.state() == ProgressState::Done);
            connection.release(request_done);
        }
    }
}

impl<B> Body for UpstreamBody<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(mut frame))) => {
                this.idle.waiting = false;
                strip_trailers(&mut frame);
                if this.incoming.is_end_stream() {
                    this.release();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            // RFC 9113, 8.1: a stream may be reset without an error, and then hyper says that the body has ended.
            Poll::Ready(None)
                if matches!(this.carrier, Some(Carrier::Http2 { .. }))
                    && !this.incoming.is_end_stream() =>
            {
                this.carrier = None;
                let error = UpstreamError::new(UpstreamErrorKind::Reset, &this.cluster, None);
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                this.release();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                this.carrier = None;
                let error = UpstreamError::from_hyper(&this.cluster, error);
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Pending => {
                let spare = || match &mut this.carrier {
                    Some(Carrier::Http1(connection)) => connection.timer.take(),
                    Some(Carrier::Http2 { .. }) | None => None,
                };
                ready!(this.idle.poll_elapsed(cx, spare));
                this.carrier = None;
                let error = UpstreamError::new(UpstreamErrorKind::IdleTimeout, &this.cluster, None);
                Poll::Ready(Some(Err(error.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl<B> fmt::Debug for UpstreamBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody")
            .field("cluster", &self.cluster)
            .field("incoming", &self.incoming)
            .finish_non_exhaustive()
    }
}

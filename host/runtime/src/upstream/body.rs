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
use crate::BoxError;
use crate::clock::LazySleep;

/// How far a request body has come.
#[derive(Debug)]
pub(super) struct Progress {
    moved_at: Cell<Instant>,
    state: Cell<ProgressState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgressState {
    Sending,
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

    /// When the last part of the body was handed over, or its end seen.
    pub(super) fn moved_at(&self) -> Instant {
        self.moved_at.get()
    }

    pub(super) fn state(&self) -> ProgressState {
        self.state.get()
    }
}

/// A request body whose progress is watched from outside; empty bodies are not.
pub(super) struct RequestBody<B> {
    inner: B,
    progress: Option<Rc<Progress>>,
}

impl<B: Body> RequestBody<B> {
    pub(super) fn new(inner: B) -> Self {
        let progress = (!inner.is_end_stream()).then(|| Rc::new(Progress::new()));
        Self { inner, progress }
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
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(progress) = &self.progress {
            progress.moved_at.set(Instant::now());
            match &frame {
                Some(Ok(frame)) if frame.is_data() && !self.inner.is_end_stream() => {}
                Some(Ok(_)) | None => progress.state.set(ProgressState::Done),
                Some(Err(_)) => progress.state.set(ProgressState::Failed),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of an upstream's response.
///
/// Reading it to its end gives the connection back to the worker's pool; dropping it before closes the connection
/// (HTTP/1) or resets the stream (HTTP/2). Waiting for the next part ends with an error after the idle timeout.
pub struct UpstreamBody<B> {
    incoming: Incoming,
    /// HTTP/1: the connection that this response occupies.
    connection: Option<H1Connection<B>>,
    /// The request body, if it may still be on its way.
    request: Option<Rc<Progress>>,
    cluster: Rc<str>,
    sent: SentRequest,
    idle: IdleTimer,
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
        connection: Option<H1Connection<B>>,
        request: Option<Rc<Progress>>,
        cluster: Rc<str>,
        sent: SentRequest,
        idle_timeout: Duration,
    ) -> Self {
        let mut body = Self {
            incoming,
            connection,
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
        if let Some(mut connection) = self.connection.take() {
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
            Poll::Ready(Some(Ok(frame))) => {
                this.idle.waiting = false;
                if this.incoming.is_end_stream() {
                    this.release();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                this.release();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                this.connection = None;
                let error = UpstreamError::from_hyper(&this.cluster, error);
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Pending => {
                let spare = || {
                    this.connection
                        .as_mut()
                        .and_then(|connection| connection.timer.take())
                };
                ready!(this.idle.poll_elapsed(cx, spare));
                this.connection = None;
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

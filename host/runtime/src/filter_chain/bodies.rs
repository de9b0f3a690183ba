//! Bodies between hyper and the filter chain.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;

use super::ending::Ending;
use super::exchange::Exchange;
use crate::BoxError;
use crate::connection_fields::strip_trailers;
use crate::upstream::{UpstreamBody, UpstreamConnection};

/// A request body on its way to the upstream.
pub(crate) enum RequestBody {
    /// There is none.
    Empty,
    /// As it came: no plugin has anything to do with it.
    Direct(RequestSource),
    /// What the chain has left of it.
    Filtered(Rc<Exchange>),
}

/// A request body as it comes from downstream.
pub(crate) struct RequestSource {
    incoming: Incoming,
    received: Received,
}

/// The bytes received of a request body, if anybody wants to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received(Option<Rc<Cell<u64>>>);

impl Received {
    /// Counts.
    pub(crate) fn counted() -> Self {
        Self(Some(Rc::default()))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, |count| count.get())
    }

    fn add(&self, bytes: usize) {
        if let Some(count) = &self.0 {
            count.set(count.get() + bytes as u64);
        }
    }
}

impl RequestSource {
    pub(crate) fn new(incoming: Incoming, received: Received) -> Self {
        Self { incoming, received }
    }
}

impl RequestBody {
    /// A body that no plugin has anything to do with.
    pub(crate) fn direct(incoming: Incoming, received: Received) -> Self {
        if incoming.is_end_stream() {
            Self::Empty
        } else {
            Self::Direct(RequestSource::new(incoming, received))
        }
    }
}

/// Where a response body comes from.
pub(crate) enum ResponseSource {
    /// An upstream.
    Upstream(UpstreamBody<RequestBody>),
    /// The built-in upstream, or the proxy itself.
    Full(Full<Bytes>),
}

/// A response body on its way downstream. When it is dropped, the exchange is over.
pub(crate) struct ResponseBody {
    kind: ResponseKind,
    /// Counts bytes and ends the exchange.
    ending: Ending,
}

#[expect(
    clippy::large_enum_variant,
    reason = "a box would cost an allocation for each response, and a body is moved once"
)]
enum ResponseKind {
    Empty,
    Direct(ResponseSource),
    Filtered(Rc<Exchange>),
}

impl ResponseBody {
    pub(crate) fn empty(ending: Ending) -> Self {
        Self {
            kind: ResponseKind::Empty,
            ending,
        }
    }

    pub(crate) fn direct(source: ResponseSource, ending: Ending) -> Self {
        Self {
            kind: ResponseKind::Direct(source),
            ending,
        }
    }

    pub(crate) fn filtered(exchange: Rc<Exchange>, ending: Ending) -> Self {
        Self {
            kind: ResponseKind::Filtered(exchange),
            ending,
        }
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Direct(source) => Pin::new(source).poll_frame(cx),
            Self::Filtered(exchange) => exchange.poll_request_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Direct(source) => source.is_end_stream(),
            Self::Filtered(exchange) => exchange.request_has_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Direct(source) => source.size_hint(),
            // The head's `content-length`, which the chain keeps true, says it if anything does.
            Self::Filtered(_) => SizeHint::default(),
        }
    }
}

impl Body for RequestSource {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let mut polled = Pin::new(&mut self.incoming).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &mut polled {
            self.received.add(frame.data_ref().map_or(0, Bytes::len));
            strip_trailers(frame);
        }
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl ResponseSource {
    fn is_upstreams(&self) -> bool {
        matches!(self, Self::Upstream(_))
    }

    /// The connection to the upstream that it comes from, if it comes from one.
    pub(crate) fn connection(&self) -> Option<Rc<UpstreamConnection>> {
        match self {
            Self::Upstream(body) => body.sent().connection.clone(),
            Self::Full(_) => None,
        }
    }

    /// How long ago the request was sent to the upstream.
    pub(crate) fn since_sent(&self) -> Option<Duration> {
        match self {
            Self::Upstream(body) => Some(body.sent().at.elapsed()),
            Self::Full(_) => None,
        }
    }
}

impl Body for ResponseSource {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        match self.get_mut() {
            Self::Upstream(body) => Pin::new(body).poll_frame(cx),
            Self::Full(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Upstream(body) => body.is_end_stream(),
            Self::Full(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Upstream(body) => body.size_hint(),
            Self::Full(body) => body.size_hint(),
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = self.get_mut();
        let polled = match &mut this.kind {
            ResponseKind::Empty => Poll::Ready(None),
            ResponseKind::Direct(source) => {
                if source.is_upstreams()
                    && let Poll::Ready(error) = this.ending.poll_aborted(cx)
                {
                    this.ending.failed(&error);
                    return Poll::Ready(Some(Err(error)));
                }
                let polled = Pin::new(&mut *source).poll_frame(cx);
                if polled.is_ready() {
                    this.ending.direct(source);
                }
                polled
            }
            ResponseKind::Filtered(exchange) => {
                let mut polled = exchange.poll_response_frame(cx);
                // What plugins have made of them; those of an upstream come without such fields.
                if let Poll::Ready(Some(Ok(frame))) = &mut polled {
                    strip_trailers(frame);
                }
                polled
            }
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.ending.sent(frame.data_ref().map_or(0, Bytes::len))
            }
            Poll::Ready(Some(Err(error))) => this.ending.failed(error),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            ResponseKind::Empty => true,
            ResponseKind::Direct(source) => source.is_end_stream(),
            ResponseKind::Filtered(exchange) => exchange.response_has_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            ResponseKind::Empty => SizeHint::with_exact(0),
            ResponseKind::Direct(source) => source.size_hint(),
            ResponseKind::Filtered(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Direct(_) => "Direct",
            Self::Filtered(_) => "Filtered",
        })
    }
}

impl fmt::Debug for ResponseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upstream(_) => "Upstream",
            Self::Full(_) => "Full",
        })
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

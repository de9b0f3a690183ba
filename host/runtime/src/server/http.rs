//! Runs HTTP on one connection.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;

use super::access_log::AccessRecord;
use super::connection::{ConnectionInfo, ConnectionState, ExchangeGuard, Order};
use super::io::ConnectionIo;
use super::options::ServerOptions;
use crate::BoxError;
use crate::executor::LocalExecutor;
use crate::flow_control::{STREAM_WINDOW, connection_window};

/// The protocol settings that all connections of a worker share.
pub(super) type Protocols = auto::Builder<LocalExecutor>;

pub(super) fn protocols(options: &ServerOptions) -> Protocols {
    let mut protocols = auto::Builder::new(LocalExecutor);
    let head = u32::try_from(options.max_head_bytes).unwrap_or(u32::MAX);
    let streams = options.max_concurrent_streams;
    protocols
        .http2()
        .max_header_list_size(head)
        .max_concurrent_streams(streams)
        .initial_stream_window_size(STREAM_WINDOW)
        // Uploads that nobody reads must leave all other streams their windows.
        .initial_connection_window_size(connection_window(streams));
    protocols
}

/// Is told of each request that a server has refused by itself, which the service does not see.
pub type OnRefused = Rc<dyn Fn(&AccessRecord)>;

/// Serves a connection until either side ends it.
pub(super) async fn serve_connection<S, F, B>(
    io: ConnectionIo,
    protocols: Rc<Protocols>,
    service: Rc<S>,
    on_refused: OnRefused,
    state: Rc<ConnectionState>,
) where
    S: Fn(Request<Incoming>, Rc<ConnectionInfo>) -> F + 'static,
    F: Future<Output = Result<Response<B>, BoxError>> + 'static,
    B: Body<Data = Bytes, Error = BoxError> + Unpin + 'static,
{
    let io = TokioIo::new(io);
    let exchange = service_fn(|request: Request<Incoming>| {
        let version = request.version();
        let (guard, rejection) = state.begin_exchange(version);
        let info = Rc::clone(state.info(version));
        let state = Rc::clone(&state);
        let response = match rejection {
            Some(rejection) => {
                let mut record = AccessRecord::new(&request, &info);
                record.status = Some(rejection.status);
                if request.method() != Method::HEAD {
                    let text = rejection.to_response(version).into_body();
                    record.response_bytes = text.len() as u64;
                }
                on_refused(&record);
                Err(rejection)
            }
            None => Ok(service(request, info)),
        };
        async move {
            let mut response = match response {
                Ok(response) => {
                    let response = response.await?;
                    let announced = announced_length(&response, version);
                    response.map(|body| ResponseBody::new(body, guard, announced))
                }
                Err(rejection) => rejection
                    .to_response(version)
                    .map(|text| ResponseBody::refusal(text, guard)),
            };
            if state.is_draining() && version < Version::HTTP_2 {
                close_after(&mut response);
            }
            Ok::<_, BoxError>(response)
        }
    });
    let mut connection = pin!(protocols.serve_connection(io, exchange));
    let mut finishing = false;
    let served = poll_fn(|cx| {
        match state.poll_order(cx) {
            Order::Serve => {}
            Order::Finish if finishing => {}
            Order::Finish => {
                finishing = true;
                // A request that has already arrived is still served.
                if let Poll::Ready(served) = connection.as_mut().poll(cx) {
                    return Poll::Ready(served);
                }
                connection.as_mut().graceful_shutdown();
            }
            // What hyper has made of the last bytes it tells when it need not wait for the client any more.
            Order::Close if state.lingers_since().is_some() => {
                let Poll::Ready(served) = connection.as_mut().poll(cx) else {
                    return Poll::Ready(Ok(()));
                };
                return Poll::Ready(served);
            }
            Order::Close => {
                tracing::debug!(connection = state.id(), peer = %state.peer(), "downstream connection closed: its time is over");
                return Poll::Ready(Ok(()));
            }
        }
        connection.as_mut().poll(cx)
    })
    .await;
    if let Err(error) = served {
        tracing::debug!(connection = state.id(), peer = %state.peer(), error = &*error, "downstream connection failed");
        if let Some(status) = answered_unread(&*error) {
            on_refused(&AccessRecord::unreadable(state.peer(), status));
        }
    }
}

/// What hyper has answered to something that it could not read as a request.
fn answered_unread(error: &(dyn Error + 'static)) -> Option<StatusCode> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if !error.is_parse() {
        return None;
    }
    Some(if !error.is_parse_too_large() {
        StatusCode::BAD_REQUEST
    } else if error.to_string().starts_with("URI") {
        StatusCode::URI_TOO_LONG
    } else {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    })
}

fn close_after<B>(response: &mut Response<B>) {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// What a 304 says of the length that the body of a 200 would have (RFC 9110, 15.4.5). HTTP/1 in hyper leaves the field
/// out unless the body claims to be as long; it does not ask that body for anything.
fn announced_length<B: Body>(response: &Response<B>, version: Version) -> Option<u64> {
    if response.status() != StatusCode::NOT_MODIFIED || version >= Version::HTTP_2 {
        return None;
    }
    let length = response.headers().get(header::CONTENT_LENGTH)?;
    let length = length.to_str().ok()?.parse().ok()?;
    response.body().is_end_stream().then_some(length)
}

/// A response body on its way to the client; its end is the end of the exchange.
pub(super) struct ResponseBody<B> {
    content: Content<B>,
    /// The length that an empty body pretends to have: see [`announced_length`].
    announced: Option<u64>,
    exchange: ExchangeGuard,
}

enum Content<B> {
    Service(B),
    /// The text, until it is sent.
    Refusal(Option<Bytes>),
}

impl<B> ResponseBody<B> {
    fn new(inner: B, exchange: ExchangeGuard, announced: Option<u64>) -> Self {
        Self {
            content: Content::Service(inner),
            announced,
            exchange,
        }
    }

    fn refusal(text: Bytes, exchange: ExchangeGuard) -> Self {
        Self {
            content: Content::Refusal(Some(text)),
            announced: None,
            exchange,
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.exchange.set_waiting(false);
        let frame = match &mut self.content {
            Content::Service(body) => Pin::new(body).poll_frame(cx),
            Content::Refusal(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
        };
        // hyper asks again once it has room for more: HTTP/2 when the client's window allows.
        self.exchange.set_waiting(frame.is_ready());
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Service(body) => self.announced.is_none() && body.is_end_stream(),
            Content::Refusal(text) => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Service(body) => self
                .announced
                .map_or_else(|| body.size_hint(), SizeHint::with_exact),
            Content::Refusal(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
        }
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

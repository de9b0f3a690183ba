//! Runs HTTP on one connection.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;

use super::connection::{ConnectionInfo, ConnectionState, ExchangeGuard, Order};
use super::io::ConnectionIo;
use super::options::ServerOptions;
use crate::BoxError;
use crate::executor::LocalExecutor;

/// The protocol settings that all connections of a worker share.
pub(super) type Protocols = auto::Builder<LocalExecutor>;

pub(super) fn protocols(options: &ServerOptions) -> Protocols {
    let mut protocols = auto::Builder::new(LocalExecutor);
    let head = u32::try_from(options.max_head_bytes).unwrap_or(u32::MAX);
    protocols.http2().max_header_list_size(head);
    protocols
}

/// Serves `stream` until either side ends it.
pub(super) async fn serve_connection<S, F, B>(
    stream: TcpStream,
    protocols: Rc<Protocols>,
    service: Rc<S>,
    state: Rc<ConnectionState>,
) where
    S: Fn(Request<Incoming>, Rc<ConnectionInfo>) -> F + 'static,
    F: Future<Output = Response<B>> + 'static,
    B: Body<Data = Bytes, Error = BoxError> + Unpin + 'static,
{
    let io = TokioIo::new(ConnectionIo::new(stream, Rc::clone(&state)));
    let exchange = service_fn(|request: Request<Incoming>| {
        let version = request.version();
        let guard = state.begin_exchange();
        let state = Rc::clone(&state);
        let response = service(request, Rc::clone(state.info(version)));
        async move {
            let mut response = response.await;
            if state.is_draining() && version < Version::HTTP_2 {
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, guard)))
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
            Order::Close => return Poll::Ready(Ok(())),
        }
        connection.as_mut().poll(cx)
    })
    .await;
    if let Err(error) = served {
        tracing::debug!(connection = state.id(), peer = %state.peer(), error = &*error, "downstream connection failed");
    }
}

/// A response body on its way to the client; its end is the end of the exchange.
pub struct ResponseBody<B> {
    inner: B,
    _exchange: ExchangeGuard,
}

impl<B> ResponseBody<B> {
    fn new(inner: B, exchange: ExchangeGuard) -> Self {
        Self {
            inner,
            _exchange: exchange,
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

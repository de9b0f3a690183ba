//! HTTP/2 clients and upstreams that a test can steer.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

#[derive(Clone)]
pub(crate) struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

pub(crate) type Channel = mpsc::UnboundedReceiver<Frame<Bytes>>;

/// A body of which the test decides when it goes on.
pub(crate) struct Frames(Channel);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}

pub(crate) type TestBody = Either<Full<Bytes>, Frames>;

pub(crate) fn whole(body: impl Into<Bytes>) -> TestBody {
    Either::Left(Full::new(body.into()))
}

pub(crate) fn frames() -> (mpsc::UnboundedSender<Frame<Bytes>>, TestBody) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Either::Right(Frames(receiver)))
}

pub(crate) async fn connect(address: SocketAddr) -> SendRequest<TestBody> {
    // What a browser allows, about.
    connect_with_window(address, 1024 * 1024).await
}

/// A client that takes `window` bytes of each response before it reads.
pub(crate) async fn connect_with_window(address: SocketAddr, window: u32) -> SendRequest<TestBody> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (sender, connection) = hyper::client::conn::http2::Builder::new(LocalExecutor)
        .initial_stream_window_size(window)
        .handshake(stream)
        .await
        .unwrap();
    tokio::task::spawn_local(connection);
    sender
}

pub(crate) fn get(path: &str) -> Request<TestBody> {
    Request::get(format!("http://example.test{path}"))
        .body(whole(""))
        .unwrap()
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An HTTP/2 upstream: what it was asked, and on how many connections.
pub(crate) struct H2Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Rc<Cell<usize>>,
    pub(crate) heads: Rc<RefCell<Vec<http::request::Parts>>>,
}

impl H2Upstream {
    pub(crate) async fn start<F>(service: impl Fn(Request<Incoming>) -> F + Clone + 'static) -> Self
    where
        F: Future<Output = Response<TestBody>> + 'static,
    {
        Self::start_with(None, service).await
    }

    /// With so many streams of a connection at a time.
    pub(crate) async fn start_with<F>(
        max_streams: Option<u32>,
        service: impl Fn(Request<Incoming>) -> F + Clone + 'static,
    ) -> Self
    where
        F: Future<Output = Response<TestBody>> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            connections: Rc::default(),
            heads: Rc::default(),
        };
        let (connections, heads) = (Rc::clone(&upstream.connections), Rc::clone(&upstream.heads));
        tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.set(connections.get() + 1);
                let (service, heads) = (service.clone(), Rc::clone(&heads));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (parts, body) = request.into_parts();
                    heads.borrow_mut().push(parts.clone());
                    let response = service(Request::from_parts(parts, body));
                    async move { Ok::<_, Infallible>(response.await) }
                });
                let connection = hyper::server::conn::http2::Builder::new(LocalExecutor)
                    .max_concurrent_streams(max_streams)
                    // It is the proxy's windows that are tested.
                    .initial_connection_window_size(1 << 30)
                    .serve_connection(TokioIo::new(stream), service);
                tokio::task::spawn_local(connection);
            }
        });
        upstream
    }

    pub(crate) fn url(&self) -> String {
        format!("h2c://{}", self.address)
    }
}

pub(crate) async fn echo(request: Request<Incoming>) -> Response<TestBody> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Response::builder()
        .header("x-up", "1")
        .body(whole(body))
        .unwrap()
}

//! A scripted upstream.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

/// Trailers of an answer, among its extensions.
#[derive(Clone, Debug)]
pub struct Trailers(pub HeaderMap);

/// An upstream on a free port, HTTP/1 and HTTP/2 with prior knowledge, that answers as told. It ends with the test's
/// process.
#[derive(Clone, Debug)]
pub struct Origin {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Origin {
    pub fn start(answer: impl Fn(&Received) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(answer);
        let log = Arc::clone(&received);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                    let service = service_fn(move |request| {
                        serve(request, Arc::clone(&answer), Arc::clone(&log))
                    });
                    let builder = auto::Builder::new(TokioExecutor::new());
                    tokio::spawn(async move {
                        // A client that goes away is none of the test's business.
                        let _ = builder
                            .serve_connection(TokioIo::new(stream), service)
                            .await;
                    });
                }
            });
        });
        Self { address, received }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// For HTTP/2.
    pub fn h2c_url(&self) -> String {
        format!("h2c://{}", self.address)
    }

    /// The requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(
    request: Request<Incoming>,
    answer: Arc<impl Fn(&Received) -> Response<Bytes>>,
    log: Arc<Mutex<Vec<Received>>>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.ok();
    let received = Received {
        method: head.method,
        path: head
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        headers: head.headers,
        trailers: body.as_ref().and_then(|body| body.trailers().cloned()),
        body: body.map(|body| body.to_bytes()).unwrap_or_default(),
    };
    let response = answer(&received);
    log.lock().unwrap().push(received);
    let trailers = response.extensions().get::<Trailers>().cloned();
    Ok(response.map(|body| match trailers {
        None => Full::new(body).boxed(),
        // Without a length: over HTTP/1 trailers need a body in chunks.
        Some(Trailers(trailers)) => {
            let frames = [Frame::data(body), Frame::trailers(trailers)];
            BodyExt::boxed(StreamBody::new(tokio_stream::iter(frames.map(Ok))))
        }
    }))
}

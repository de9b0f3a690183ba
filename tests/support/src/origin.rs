//! A scripted upstream.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Collected, Either, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;

use crate::listener;
use crate::long::{Checker, LongBody, Pattern};

/// Streams that one HTTP/2 connection may carry at once: all that a test can think of.
const STREAMS: u32 = 100_000;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    pub path: String,
    pub version: Version,
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
    scheme: &'static str,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Origin {
    pub fn start(answer: impl Fn(&Received) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer)
    }

    /// An origin behind TLS, whose URL begins with `https://`.
    pub fn start_tls(
        tls: TlsAcceptor,
        answer: impl Fn(&Received) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(tls), answer)
    }

    fn start_with(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Received) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&received));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let service = move |request| serve(request, Arc::clone(&answer), Arc::clone(&log));
        Self {
            address: listen(tls, service),
            scheme,
            received,
        }
    }

    /// Answers when so many requests are there, all of them at once: they were open at the same time.
    pub fn gathering(count: usize) -> Self {
        let all = Arc::new(Barrier::new(count));
        let address = listen(None, move |request: Request<Incoming>| {
            let all = Arc::clone(&all);
            async move {
                drop(request);
                all.wait().await;
                Ok(Response::new(Full::new(Bytes::from("all are here"))))
            }
        });
        Self {
            address,
            scheme: "http",
            received: Arc::default(),
        }
    }

    /// Answers `early` before it reads the body, of which it tells how it ended: with the last byte, or in an error.
    pub fn early() -> (Self, Receiver<Result<(), String>>) {
        let (ended, receiver) = channel();
        let address = listen(None, move |request: Request<Incoming>| {
            let ended = ended.clone();
            tokio::spawn(async move {
                let body = request.into_body().collect().await;
                // A test that has what it wants does not listen.
                let _ = ended.send(body.map(|_| ()).map_err(|error| error.to_string()));
            });
            async { Ok(Response::new(Full::new(Bytes::from("early")))) }
        });
        let origin = Self {
            address,
            scheme: "http",
            received: Arc::default(),
        };
        (origin, receiver)
    }

    /// Answers a GET of `/N` with N bytes of a pattern. Any other request is to bring the pattern `expected`; the answer
    /// is `right`, with the number of bytes in the header `x-length`, or says what is wrong with them.
    pub fn long(pattern: Pattern, expected: Pattern) -> Self {
        let service = move |request| long(request, pattern.clone(), expected.checker());
        let address = listen(None, service);
        Self {
            address,
            scheme: "http",
            received: Arc::default(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
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

/// Serves on a free port, from a thread that ends with the process.
fn listen<S, F, B>(tls: Option<TlsAcceptor>, service: S) -> SocketAddr
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(STREAMS);
    listener::serve(tls, move |io| {
        let (builder, service) = (builder.clone(), service_fn(service.clone()));
        async move {
            // A client that goes away is none of the test's business.
            let _ = builder.serve_connection(TokioIo::new(io), service).await;
        }
    })
}

async fn long(
    request: Request<Incoming>,
    pattern: Pattern,
    mut checker: Checker,
) -> Result<Response<Either<LongBody, Full<Bytes>>>, Infallible> {
    if request.method() == Method::GET {
        let length = request.uri().path().trim_start_matches('/').parse();
        let body = pattern.body(length.expect("the path is a length"));
        return Ok(Response::new(Either::Left(body)));
    }
    let mut body = request.into_body();
    let mut failed = None;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => checker.push(frame.data_ref().map_or(&[], Bytes::as_ref)),
            Err(error) => failed = Some(error.to_string()),
        }
    }
    let (length, answer) = match (failed, checker.finish()) {
        (Some(error), _) | (None, Err(error)) => (0, error),
        (None, Ok(length)) => (length, "right".to_owned()),
    };
    let response = Response::builder().header("x-length", length);
    Ok(response.body(Either::Right(Full::from(answer))).unwrap())
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
        version: head.version,
        headers: head.headers,
        trailers: body.as_ref().and_then(|body| body.trailers().cloned()),
        body: body.map(Collected::to_bytes).unwrap_or_default(),
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

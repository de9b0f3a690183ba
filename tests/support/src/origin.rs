//! A scripted upstream.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Collected, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio_rustls::TlsAcceptor;

use crate::listener;

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
        let answer = Arc::new(answer);
        let log = Arc::clone(&received);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = listener::serve(tls, move |io| {
            let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
            let service =
                service_fn(move |request| serve(request, Arc::clone(&answer), Arc::clone(&log)));
            let builder = auto::Builder::new(TokioExecutor::new());
            async move {
                // A client that goes away is none of the test's business.
                let _ = builder.serve_connection(TokioIo::new(io), service).await;
            }
        });
        Self {
            address,
            scheme,
            received,
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

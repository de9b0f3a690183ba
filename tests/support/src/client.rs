//! An HTTP client that hides nothing.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::long::{Checker, LongBody};

/// Where requests go, and in which protocol. Every request has a connection of its own.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    address: SocketAddr,
    http2: bool,
}

/// A response with its body.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub version: Version,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Client {
    pub(crate) fn http1(address: SocketAddr) -> Self {
        Self {
            address,
            http2: false,
        }
    }

    pub(crate) fn http2(address: SocketAddr) -> Self {
        Self {
            address,
            http2: true,
        }
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.request("GET", path, headers, Bytes::new())
    }

    /// Sends a request and reads the whole response.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let body = Full::new(body.into());
        block_on(self.send(method, path, headers, body)).expect("the proxy answers")
    }

    /// Posts a body in pieces, without telling its length before, and trailers, if any; fails if no whole response
    /// comes.
    pub fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        pieces: &[&str],
        trailers: &[(&str, &str)],
    ) -> Result<Reply, hyper::Error> {
        let pieces = pieces
            .iter()
            .map(|piece| Frame::data(Bytes::copy_from_slice(piece.as_bytes())));
        let mut frames: Vec<_> = pieces.collect();
        if !trailers.is_empty() {
            let fields = trailers
                .iter()
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
            frames.push(Frame::trailers(fields.collect()));
        }
        let body = StreamBody::new(tokio_stream::iter(frames.into_iter().map(Ok)));
        block_on(self.send("POST", path, headers, body))
    }

    /// Sends a request with a long body and reads the whole response.
    pub fn upload(&self, path: &str, body: LongBody) -> Reply {
        block_on(self.send("POST", path, &[], body)).expect("the proxy answers")
    }

    /// Sends a GET and compares the response's body. Returns the response's status and what the comparison gave, or
    /// how the body broke off.
    pub fn download(&self, path: &str, mut checker: Checker) -> (StatusCode, Result<u64, String>) {
        block_on(async {
            let empty = Full::new(Bytes::new());
            let response = self.open("GET", path, &[], empty).await.unwrap();
            let status = response.status();
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                match frame {
                    Ok(frame) => checker.push(frame.data_ref().map_or(&[], Bytes::as_ref)),
                    Err(error) => return (status, Err(error.to_string())),
                }
            }
            (status, checker.finish())
        })
    }

    /// Sends so many GET requests on each of so many HTTP/2 connections, all at once, and returns the statuses.
    pub fn at_once(&self, connections: usize, requests: usize) -> Vec<StatusCode> {
        block_on(async {
            let mut open = JoinSet::new();
            for _ in 0..connections {
                let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
                let (sender, connection) =
                    hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
                        .await
                        .unwrap();
                tokio::spawn(connection);
                for _ in 0..requests {
                    let mut sender = sender.clone();
                    let request = Request::get(format!("http://{}/", self.address));
                    let request = request.body(Full::new(Bytes::new())).unwrap();
                    open.spawn(async move {
                        sender.ready().await.unwrap();
                        let response = sender.send_request(request).await.unwrap();
                        let status = response.status();
                        response.into_body().collect().await.unwrap();
                        status
                    });
                }
            }
            open.join_all().await
        })
    }

    async fn send<B>(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: B,
    ) -> Result<Reply, hyper::Error>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
    {
        let response = self.open(method, path, headers, body).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?;
        Ok(Reply {
            status: head.status,
            version: head.version,
            headers: head.headers,
            trailers: body.trailers().cloned(),
            body: body.to_bytes(),
        })
    }

    /// Sends a request and waits for the response's head.
    async fn open<B>(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: B,
    ) -> Result<Response<Incoming>, hyper::Error>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
    {
        let uri = if self.http2 {
            format!("http://{}{path}", self.address)
        } else {
            path.to_owned()
        };
        let mut request = Request::builder().method(method).uri(uri);
        if !self.http2 {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        if self.http2 {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
            tokio::spawn(connection);
            sender.send_request(request).await
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
            tokio::spawn(connection);
            sender.send_request(request).await
        }
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

impl Reply {
    /// The value of a trailer.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        self.trailers.as_ref()?.get(name)?.to_str().ok()
    }

    /// The values of a field, joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// The body of the built-in upstream: the request as it arrived there.
    pub fn echo(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The values of a field of the request as it arrived at the built-in upstream.
    pub fn echoed(&self, name: &str) -> Vec<String> {
        let echo = self.echo();
        let fields = echo["headers"].as_array().expect("the echo has headers");
        let values = fields.iter().filter(|field| field[0] == name);
        values
            .map(|field| field[1].as_str().unwrap().to_owned())
            .collect()
    }
}

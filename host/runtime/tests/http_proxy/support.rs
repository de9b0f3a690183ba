//! A pass-through proxy, raw clients and scripted upstreams, all on one thread and on port 0.

use std::cell::Cell;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use proxy_wasi_runtime::BoxError;
use proxy_wasi_runtime::config::{ClusterConfig, UpstreamUrl};
use proxy_wasi_runtime::server::intermediary::{admit, admit_response};
use proxy_wasi_runtime::server::{
    AccessRecord, ConnectionInfo, DrainTrigger, RequestIds, Served, ServerOptions, bind, drain,
    serve,
};
use proxy_wasi_runtime::upstream::{Cluster, Trust, UpstreamBody, UpstreamClient, UpstreamOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, LocalSet};

/// Above what any test needs; a test that reaches it hangs.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs a test on a worker's kind of runtime.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        tokio::time::timeout(TEST_TIMEOUT, test)
            .await
            .expect("test hangs")
    })
}

/// A cluster that is nothing but its URL.
pub(crate) fn cluster(url: &str) -> Cluster {
    let config = ClusterConfig::new("origin", UpstreamUrl::parse(url).unwrap());
    Cluster::new(&config, &Trust::default()).unwrap()
}

/// A proxy that only passes on.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) drain: DrainTrigger,
    pub(crate) served: JoinHandle<std::io::Result<Served>>,
    /// Requests that are in the service: begun, and neither answered with a head nor cancelled.
    pub(crate) pending: Rc<Cell<usize>>,
}

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) server: ServerOptions,
    pub(crate) upstream: UpstreamOptions,
}

impl Proxy {
    pub(crate) fn start(upstream: &str) -> Self {
        Self::start_with(upstream, Options::default())
    }

    pub(crate) fn start_with(upstream: &str, options: Options) -> Self {
        let listener = bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let address = listener.local_addr().unwrap();
        let (trigger, signal) = drain();
        let client = UpstreamClient::new(options.upstream);
        let cluster = Arc::new(cluster(upstream));
        let ids = Rc::new(RequestIds::new());
        let pending = Rc::new(Cell::new(0));
        let counter = Rc::clone(&pending);
        let service = move |request, info| {
            let guard = Counted::new(&counter);
            let forwarded = forward(
                request,
                info,
                client.clone(),
                Arc::clone(&cluster),
                Rc::clone(&ids),
            );
            async move {
                let _guard = guard;
                Ok::<_, BoxError>(forwarded.await)
            }
        };
        let served = tokio::task::spawn_local(serve(
            listener,
            service,
            Rc::new(|_: &AccessRecord| {}),
            options.server,
            signal,
        ));
        Self {
            address,
            drain: trigger,
            served,
            pending,
        }
    }

    pub(crate) async fn connect(&self) -> RawClient {
        RawClient::connect(self.address).await
    }

    /// Sends `request` on a connection of its own and returns all that comes back until the end.
    pub(crate) async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut client = self.connect().await;
        client.send(request).await;
        client.read_to_end().await
    }
}

/// Counts itself for as long as it lives.
pub(crate) struct Counted(Rc<Cell<usize>>);

impl Counted {
    pub(crate) fn new(counter: &Rc<Cell<usize>>) -> Self {
        counter.set(counter.get() + 1);
        Self(Rc::clone(counter))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn forward(
    mut request: Request<Incoming>,
    info: Rc<ConnectionInfo>,
    client: UpstreamClient<Incoming>,
    cluster: Arc<Cluster>,
    ids: Rc<RequestIds>,
) -> Response<ProxyBody> {
    let version = request.version();
    let text = |text| Either::Right(TextBody::new(Full::new(text).map_err(Into::into)));
    if let Err(rejection) = admit(&mut request, info.local, &ids) {
        return rejection.to_response(version).map(text);
    }
    match client.send(&cluster, request).await {
        Ok(mut response) => match admit_response(&mut response) {
            Ok(()) => response.map(Either::Left),
            Err(rejection) => rejection.to_response(version).map(text),
        },
        Err(error) => {
            let mut response = Response::new(text(Bytes::from(format!("{error}\n"))));
            *response.status_mut() = error.status();
            response
        }
    }
}

type ProxyBody = Either<UpstreamBody<Incoming>, TextBody>;

/// A text with the error type of the other bodies.
type TextBody = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

/// An upstream whose connections are handled by a script; the script is told which connection it is, from 0.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Rc<Cell<usize>>,
}

impl Upstream {
    pub(crate) async fn start<F>(script: impl Fn(usize, RawClient) -> F + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Rc::new(Cell::new(0));
        let counter = Rc::clone(&connections);
        tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let number = counter.get();
                counter.set(number + 1);
                tokio::task::spawn_local(script(number, RawClient::new(stream)));
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// Answers every request of every connection with `response`, and keeps the last request head.
    pub(crate) async fn answering(
        response: &'static str,
    ) -> (Self, Rc<std::cell::RefCell<String>>) {
        let last = Rc::new(std::cell::RefCell::new(String::new()));
        let heads = Rc::clone(&last);
        let upstream = Self::start(move |_, mut connection| {
            let heads = Rc::clone(&heads);
            async move {
                while let Some(message) = connection.try_read_message().await {
                    *heads.borrow_mut() = message.head;
                    connection.send(response).await;
                }
            }
        })
        .await;
        (upstream, last)
    }

    pub(crate) fn http(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// One end of a connection that reads and writes bytes, with just enough HTTP to find the ends of messages.
pub(crate) struct RawClient {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

/// A message as it was on the wire.
#[derive(Debug)]
pub(crate) struct Message {
    /// Start line and fields, without the empty line.
    pub(crate) head: String,
    /// As framed: chunked bodies with their chunk sizes and trailers.
    pub(crate) raw_body: Vec<u8>,
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        let status = self.head.split(' ').nth(1).unwrap();
        status.parse().unwrap()
    }

    pub(crate) fn start_line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    /// The value of the only field called `name`.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }

    /// The body as framed.
    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(&self.raw_body).unwrap()
    }

    /// The body without its framing.
    pub(crate) fn unchunked(&self) -> String {
        String::from_utf8(self.unchunked_bytes()).unwrap()
    }

    /// The body without its framing.
    pub(crate) fn unchunked_bytes(&self) -> Vec<u8> {
        if self.field("transfer-encoding").is_none() {
            return self.raw_body.clone();
        }
        let mut body = Vec::new();
        let mut rest = &self.raw_body[..];
        loop {
            let end = rest
                .windows(2)
                .position(|window| window == b"\r\n")
                .unwrap();
            let (line, data) = rest.split_at(end);
            let digits = line.split(|byte| *byte == b';').next().unwrap();
            let size = usize::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
            if size == 0 {
                return body;
            }
            let (chunk, after) = data[2..].split_at(size);
            body.extend_from_slice(chunk);
            rest = &after[2..];
        }
    }
}

/// The value of the only field called `name`.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.lines().skip(1).filter_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    let value = values.next();
    assert_eq!(values.next(), None, "more than one `{name}` in\n{head}");
    value
}

impl RawClient {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::new(stream)
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The peer may have closed already; what it sent before still counts.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends a request and reads the response.
    pub(crate) async fn exchange(&mut self, request: impl AsRef<[u8]>) -> Message {
        self.send(request).await;
        self.read_message().await
    }

    pub(crate) async fn read_message(&mut self) -> Message {
        self.try_read_message()
            .await
            .expect("connection closed before a message")
    }

    /// Reads a message with a `content-length`, chunked, or without a body; `None` if the peer closes first.
    pub(crate) async fn try_read_message(&mut self) -> Option<Message> {
        let head = self.read_head().await?;
        let raw_body = if let Some(length) = field(&head, "content-length") {
            self.read_exact(length.parse().unwrap()).await
        } else if field(&head, "transfer-encoding") == Some("chunked") {
            self.read_chunked().await
        } else {
            Vec::new()
        };
        Some(Message { head, raw_body })
    }

    /// Reads a head, without the empty line; `None` if the peer closes first.
    pub(crate) async fn read_head(&mut self) -> Option<String> {
        let head = self.read_until(b"\r\n\r\n").await?;
        let text = String::from_utf8(head).unwrap();
        Some(text.trim_end_matches("\r\n").to_owned())
    }

    pub(crate) async fn read_exact(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert!(self.fill().await, "connection closed in a body");
        }
        self.buffer.drain(..length).collect()
    }

    async fn read_chunked(&mut self) -> Vec<u8> {
        let mut raw = Vec::new();
        loop {
            let size = self
                .read_until(b"\r\n")
                .await
                .expect("connection closed before a chunk");
            let text = std::str::from_utf8(&size).unwrap().trim();
            let length = usize::from_str_radix(text.split(';').next().unwrap(), 16).unwrap();
            raw.extend_from_slice(&size);
            if length == 0 {
                loop {
                    let line = self
                        .read_until(b"\r\n")
                        .await
                        .expect("connection closed in trailers");
                    raw.extend_from_slice(&line);
                    if line == b"\r\n" {
                        return raw;
                    }
                }
            }
            raw.extend(self.read_exact(length + 2).await);
        }
    }

    /// All that comes until the peer closes.
    pub(crate) async fn read_to_end(&mut self) -> String {
        while self.fill().await {}
        String::from_utf8(std::mem::take(&mut self.buffer)).unwrap()
    }

    /// Drops all that comes until the peer closes.
    pub(crate) async fn closes(&mut self) {
        while self.fill().await {
            self.buffer.clear();
        }
    }

    /// True if the peer closes without sending anything more.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && !self.fill().await
    }

    async fn read_until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self
                .buffer
                .windows(end.len())
                .position(|window| window == end)
            {
                return Some(self.buffer.drain(..at + end.len()).collect());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// Reads some more; false at the end or on a reset.
    async fn fill(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(1..))
    }
}

/// Waits for something that other tasks bring about.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

//! A gRPC server: `test.Echo`, with the unary method `Say` and the stream method `Chat`.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio_rustls::TlsAcceptor;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::server::{Grpc, NamedService, StreamingService, UnaryService};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::listener;

/// Above what any test needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The only message.
#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// A server on a free port. Both methods answer each text in capitals, with the initial metadata `x-initial` (the value
/// of the request's `x-meta`); `fail` ends the call with PERMISSION_DENIED, `slow` is not answered, and `long` is with a
/// kilobyte.
#[derive(Clone, Debug)]
pub struct GrpcServer {
    address: SocketAddr,
    scheme: &'static str,
    streams: Arc<Streams>,
}

/// The streams that are open.
#[derive(Debug, Default)]
struct Streams {
    opened: Mutex<usize>,
    open: Mutex<usize>,
    changed: Condvar,
}

/// Counts a stream for as long as it lives.
struct OpenStream(Arc<Streams>);

impl OpenStream {
    fn new(streams: &Arc<Streams>) -> Self {
        *streams.opened.lock().unwrap() += 1;
        *streams.open.lock().unwrap() += 1;
        Self(Arc::clone(streams))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap() -= 1;
        self.0.changed.notify_all();
    }
}

impl GrpcServer {
    pub fn start(tls: Option<TlsAcceptor>) -> Self {
        let streams = Arc::<Streams>::default();
        let service = Echo {
            streams: Arc::clone(&streams),
        };
        let scheme = if tls.is_some() { "https" } else { "h2c" };
        let routes = tonic::service::Routes::new(service).prepare();
        let address = listener::serve(tls, move |io| {
            let service = TowerToHyperService::new(routes.clone());
            let builder = auto::Builder::new(TokioExecutor::new()).http2_only();
            async move {
                // A client that goes away is none of the test's business.
                let _ = builder.serve_connection(TokioIo::new(io), service).await;
            }
        });
        Self {
            address,
            scheme,
            streams,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Waits until no stream is open, and returns how many there were.
    pub fn wait_for_closed_streams(&self) -> usize {
        let open = self.streams.open.lock().unwrap();
        let closed = self
            .streams
            .changed
            .wait_timeout_while(open, PATIENCE, |open| *open > 0);
        assert_eq!(*closed.unwrap().0, 0, "a stream is still open");
        *self.streams.opened.lock().unwrap()
    }
}

#[derive(Clone)]
struct Echo {
    streams: Arc<Streams>,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Text, Text>::default());
            Ok(match request.uri().path() {
                "/test.Echo/Say" => grpc.unary(Say, request).await,
                "/test.Echo/Chat" => grpc.streaming(Chat(this), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

async fn answer(text: &str) -> Result<Text, Status> {
    match text {
        "fail" => {
            let mut metadata = MetadataMap::new();
            metadata.insert("x-trailing", MetadataValue::from_static("t"));
            let message = "no \"entry\"";
            Err(Status::with_metadata(
                Code::PermissionDenied,
                message,
                metadata,
            ))
        }
        "slow" => pending().await,
        "long" => Ok(Text {
            text: "x".repeat(1000),
        }),
        _ => Ok(Text {
            text: text.to_uppercase(),
        }),
    }
}

fn set_initial(metadata: &MetadataMap, response: &mut MetadataMap) {
    if let Some(value) = metadata.get("x-meta") {
        response.insert("x-initial", value.clone());
    }
}

struct Say;

impl UnaryService<Text> for Say {
    type Response = Text;
    type Future = Boxed<Result<Response<Text>, Status>>;

    fn call(&mut self, request: Request<Text>) -> Self::Future {
        Box::pin(async move {
            let mut response = Response::new(answer(&request.get_ref().text).await?);
            set_initial(request.metadata(), response.metadata_mut());
            Ok(response)
        })
    }
}

struct Chat(Echo);

type Answers = Pin<Box<dyn Stream<Item = Result<Text, Status>> + Send>>;

impl StreamingService<Text> for Chat {
    type Response = Text;
    type ResponseStream = Answers;
    type Future = Boxed<Result<Response<Answers>, Status>>;

    fn call(&mut self, request: Request<Streaming<Text>>) -> Self::Future {
        let open = OpenStream::new(&self.0.streams);
        Box::pin(async move {
            let metadata = request.metadata().clone();
            let answers = request.into_inner().then(move |text| {
                let _open = &open;
                async move { answer(&text?.text).await }
            });
            let mut response = Response::new(Box::pin(answers) as Answers);
            set_initial(&metadata, response.metadata_mut());
            Ok(response)
        })
    }
}

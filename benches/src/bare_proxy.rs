//! A reverse proxy as one writes it with hyper and hyper-util: what `proxy-wasi` without plugins is measured against.

use bytes::Bytes;
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use hyper::http::uri::{Authority, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use crate::filter::Filter;

/// Forwards requests to `upstream` until accepting fails.
///
/// # Errors
///
/// Fails if no connection can be accepted any more.
pub async fn serve(
    listener: TcpListener,
    upstream: Authority,
    filter: impl Filter + Sync,
) -> std::io::Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let (client, upstream, filter) = (client.clone(), upstream.clone(), filter.clone());
        let service = service_fn(move |request| {
            forward(client.clone(), upstream.clone(), filter.clone(), request)
        });
        // A broken connection concerns nobody else.
        tokio::spawn(async move {
            http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await
                .ok()
        });
    }
}

async fn forward(
    client: Client<HttpConnector, Incoming>,
    upstream: Authority,
    filter: impl Filter,
    request: Request<Incoming>,
) -> wasmtime::Result<Response<Either<Incoming, Empty<Bytes>>>> {
    let (head, body) = request.into_parts();
    let (mut head, stream) = filter.on_request(head)?;
    let mut uri = Uri::builder().scheme(Scheme::HTTP).authority(upstream);
    if let Some(path) = head.uri.path_and_query() {
        uri = uri.path_and_query(path.clone());
    }
    head.uri = uri.build()?;
    match client.request(Request::from_parts(head, body)).await {
        Ok(response) => {
            let (head, body) = response.into_parts();
            Ok(Response::from_parts(
                filter.on_response(stream, head)?,
                Either::Left(body),
            ))
        }
        Err(_) => Ok(Response::builder()
            .status(StatusCode::BAD_GATEWAY)
            .body(Either::Right(Empty::new()))?),
    }
}

//! HTTP callouts.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::body::CalloutBody;
use super::client::CalloutClient;
use super::error::CalloutFailure;
use super::request::{Fields, InvalidRequest, RequestParts, fields};
use crate::BoxError;
use crate::upstream::Cluster;

/// An HTTP callout that can be made.
pub(crate) struct HttpCall {
    client: CalloutClient,
    cluster: Arc<Cluster>,
    request: Request<CalloutBody>,
    timeout: Duration,
}

/// The answer, all of it.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Fields,
    pub(crate) body: Bytes,
    pub(crate) trailers: Fields,
}

impl HttpCall {
    /// Prepares a callout. Without a timeout it has the client's.
    pub(crate) fn new(
        client: &CalloutClient,
        cluster: Arc<Cluster>,
        request: RequestParts,
        timeout: Option<Duration>,
    ) -> Result<Self, InvalidRequest> {
        Ok(Self {
            client: client.clone(),
            cluster,
            request: request.into_request()?,
            timeout: timeout.unwrap_or(client.limits().timeout),
        })
    }

    /// Makes the callout and waits for the end of the response. Dropping the future gives it up.
    pub(crate) async fn run(self) -> Result<HttpAnswer, CalloutFailure> {
        let Self {
            client,
            cluster,
            request,
            timeout,
        } = self;
        let deadline = Instant::now() + timeout;
        let response = timeout_at(deadline, client.upstreams().send(&cluster, request))
            .await
            .map_err(|_| CalloutFailure::Timeout(timeout))??;
        timeout_at(deadline, receive(response, client.limits().body))
            .await
            .map_err(|_| CalloutFailure::Unfinished(timeout))?
    }
}

/// Receives all of a response, whose body may have `limit` bytes.
async fn receive<B>(response: Response<B>, limit: usize) -> Result<HttpAnswer, CalloutFailure>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    let (head, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    let mut trailers = Fields::new();
    while let Some(frame) = body.frame().await {
        // Whatever it was: the answer had begun.
        let frame = frame.map_err(CalloutFailure::Incomplete)?;
        match frame.into_data() {
            Ok(data) if bytes.len() + data.len() > limit => {
                return Err(CalloutFailure::TooLarge(limit));
            }
            Ok(data) => bytes.extend_from_slice(&data),
            Err(frame) => {
                if let Ok(map) = frame.into_trailers() {
                    trailers = fields(&map);
                }
            }
        }
    }
    Ok(HttpAnswer {
        status: head.status.as_u16(),
        headers: fields(&head.headers),
        body: bytes.freeze(),
        trailers,
    })
}

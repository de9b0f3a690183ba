//! gRPC callouts: unary calls and streams.

mod framing;
mod status;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request};
use http_body_util::BodyExt;

pub(crate) use self::status::GrpcStatus;

use self::framing::Deframer;
use super::body::{CalloutBody, PartError, PartSender, parts};
use super::client::CalloutClient;
use super::error::CalloutFailure;
use super::request::{Fields, InvalidRequest, fields, header_map, target};
use crate::upstream::Cluster;

/// What comes of a call or stream. The last one is `Close`, except for a call that succeeds: its message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GrpcEvent {
    InitialMetadata(Fields),
    Message(Bytes),
    TrailingMetadata(Fields),
    Close(GrpcStatus),
}

/// A gRPC call or stream that can be made.
pub(crate) struct GrpcCall {
    client: CalloutClient,
    cluster: Arc<Cluster>,
    request: Request<CalloutBody>,
}

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    /// The sending side has ended.
    Closed,
    /// Too much is waiting, or the message is longer than the limit.
    LimitReached,
}

/// The sending side of a stream. Dropping it before its end resets the stream.
#[derive(Debug)]
pub(crate) struct MessageSender(PartSender);

impl MessageSender {
    /// Sends a message; it may be the last one.
    pub(crate) fn send(&self, message: &[u8], end: bool) -> Result<(), SendError> {
        let frame = framing::frame(message).ok_or(SendError::LimitReached)?;
        self.0.send(frame).map_err(|error| match error {
            PartError::Ended => SendError::Closed,
            PartError::Full => SendError::LimitReached,
        })?;
        if end { self.end() } else { Ok(()) }
    }

    /// Ends the sending side.
    pub(crate) fn end(&self) -> Result<(), SendError> {
        self.0.end().map_err(|_| SendError::Closed)
    }
}

/// What to call: the cluster, the service's full name and the method's.
pub(crate) struct GrpcTarget<'a> {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
}

impl GrpcCall {
    /// Prepares a unary call.
    pub(crate) fn unary(
        client: &CalloutClient,
        target: GrpcTarget<'_>,
        metadata: &[(String, Vec<u8>)],
        message: &[u8],
        timeout: Duration,
    ) -> Result<Self, InvalidRequest> {
        let body = CalloutBody::whole(framing::frame(message).unwrap_or_default(), None);
        let mut request = request(&target, metadata, body)?;
        if let Ok(timeout) = HeaderValue::from_str(&grpc_timeout(timeout)) {
            request.headers_mut().insert("grpc-timeout", timeout);
        }
        Ok(Self {
            client: client.clone(),
            cluster: target.cluster,
            request,
        })
    }

    /// Prepares a stream.
    pub(crate) fn stream(
        client: &CalloutClient,
        target: GrpcTarget<'_>,
        metadata: &[(String, Vec<u8>)],
    ) -> Result<(Self, MessageSender), InvalidRequest> {
        let (sender, receiver) = parts(client.limits().body);
        let request = request(&target, metadata, CalloutBody::Parts(receiver))?;
        let call = Self {
            client: client.clone(),
            cluster: target.cluster,
            request,
        };
        Ok((call, MessageSender(sender)))
    }

    /// Makes a unary call: its event is the message, or why there is none. Dropping the future gives it up.
    pub(crate) async fn run_unary(self, timeout: Duration) -> GrpcEvent {
        let mut message = None;
        let mut messages = 0_usize;
        let exchange = self.exchange(|event| {
            if let GrpcEvent::Message(bytes) = event {
                messages += 1;
                message = Some(bytes);
            }
        });
        let status = match tokio::time::timeout(timeout, exchange).await {
            Ok(status) => status,
            Err(_) => GrpcStatus::of_failure(&CalloutFailure::Timeout(timeout)),
        };
        match (status.code, message) {
            (0, Some(message)) if messages == 1 => GrpcEvent::Message(message),
            (0, _) => GrpcEvent::Close(GrpcStatus::not_one_message()),
            (_, _) => GrpcEvent::Close(status),
        }
    }

    /// Makes a stream and hands over what comes of it, in order. Dropping the future resets it.
    pub(crate) async fn run_stream(self, mut events: impl FnMut(GrpcEvent)) {
        let status = self.exchange(&mut events).await;
        events(GrpcEvent::Close(status));
    }

    /// Hands over everything but the end.
    async fn exchange(self, mut events: impl FnMut(GrpcEvent)) -> GrpcStatus {
        let limit = self.client.limits().body;
        let sent = self
            .client
            .upstreams()
            .send_http2(&self.cluster, self.request)
            .await;
        let (head, mut body) = match sent {
            Ok(response) => response.into_parts(),
            Err(error) => return GrpcStatus::of_failure(&error.into()),
        };
        if let Some(status) = GrpcStatus::of_head(head.status, &head.headers) {
            return status;
        }
        if let Some(status) = GrpcStatus::sent(&head.headers) {
            // Headers that are trailers at once: there is nothing before them.
            events(GrpcEvent::InitialMetadata(Fields::new()));
            events(GrpcEvent::TrailingMetadata(fields(&head.headers)));
            return status;
        }
        events(GrpcEvent::InitialMetadata(fields(&head.headers)));
        let mut messages = Deframer::new(limit);
        while let Some(frame) = body.frame().await {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => return GrpcStatus::of_failure(&CalloutFailure::of_body(error)),
            };
            match frame.into_data() {
                Ok(data) => {
                    messages.push(&data);
                    loop {
                        match messages.next() {
                            Ok(Some(message)) => events(GrpcEvent::Message(message)),
                            Ok(None) => break,
                            Err(error) => return GrpcStatus::of_framing(error, limit),
                        }
                    }
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    if let Err(error) = messages.end() {
                        return GrpcStatus::of_framing(error, limit);
                    }
                    events(GrpcEvent::TrailingMetadata(fields(&trailers)));
                    return GrpcStatus::sent(&trailers).unwrap_or_else(GrpcStatus::missing);
                }
            }
        }
        GrpcStatus::missing()
    }
}

fn request(
    to: &GrpcTarget<'_>,
    metadata: &[(String, Vec<u8>)],
    body: CalloutBody,
) -> Result<Request<CalloutBody>, InvalidRequest> {
    let path = format!("/{}/{}", to.service, to.method);
    let uri = target(&path)
        .filter(|_| !to.service.is_empty() && !to.method.is_empty() && !path.contains('?'))
        .ok_or(InvalidRequest::Path(path))?;
    let mut headers: HeaderMap = header_map(metadata)?;
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The field `grpc-timeout`: at most eight digits and a unit.
fn grpc_timeout(timeout: Duration) -> String {
    const MOST: u128 = 99_999_999;
    let units = [
        (timeout.as_nanos(), 'n'),
        (timeout.as_micros(), 'u'),
        (timeout.as_millis(), 'm'),
    ];
    units
        .into_iter()
        .find(|(count, _)| *count <= MOST)
        .map_or_else(
            || format!("{}S", u128::from(timeout.as_secs()).min(MOST)),
            |(count, unit)| format!("{count}{unit}"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_fit_in_eight_digits() {
        let table = [
            (Duration::from_millis(50), "50000000n"),
            (Duration::from_millis(200), "200000u"),
            (Duration::from_secs(300), "300000m"),
            (Duration::from_secs(200_000), "200000S"),
        ];
        for (timeout, expected) in table {
            assert_eq!(grpc_timeout(timeout), expected);
        }
    }
}

//! One request from downstream to upstream and back.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use http::uri::{PathAndQuery, Scheme, Uri};
use http::{Method, Request, Response, StatusCode, Version, header, request};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use proxy_wasi_stream::{LocalResponse, RequestHead, ResetReason, ResponseHead};

use super::bodies::{Received, RequestBody, RequestSource, ResponseBody, ResponseSource};
use super::chain::Chain;
use super::exchange::{Exchange, Facts, Pump, Step};
use super::routes::{Route, Routes};
use crate::BoxError;
use crate::metrics::{RequestMeter, ResetCause, WorkerMetrics};
use crate::server::intermediary::{self, Rejection, X_REQUEST_ID};
use crate::server::{AccessLog, AccessRecord, ConnectionInfo, RequestIds};
use crate::upstream::{UpstreamClient, UpstreamError, UpstreamErrorKind, echo};

/// What the requests of a worker share.
pub(crate) struct Worker {
    /// Replaceable: an exchange keeps the chain it began with.
    pub(crate) chain: RefCell<Rc<Chain>>,
    pub(crate) client: UpstreamClient<RequestBody>,
    pub(crate) routes: Rc<Routes>,
    /// Bytes of a request body that the built-in upstream looks at.
    pub(crate) echo_body: usize,
    pub(crate) request_ids: RequestIds,
    pub(crate) access_log: Option<AccessLog>,
    /// Nothing if nobody can ask for it.
    pub(crate) metrics: Option<Arc<WorkerMetrics>>,
}

/// A stream that fails without a response: its connection is closed, or its HTTP/2 stream reset.
#[derive(Debug, thiserror::Error)]
#[error("stream reset: {0}")]
pub(crate) struct StreamReset(ResetReason);

type Handled = Result<Response<ResponseBody>, BoxError>;

/// Serves a request.
///
/// # Errors
///
/// The stream is to be reset.
pub(crate) async fn handle(
    worker: Rc<Worker>,
    mut request: Request<Incoming>,
    connection: Rc<ConnectionInfo>,
) -> Handled {
    let mut ending = Ending::new(&worker, &request, &connection);
    if let Err(rejection) = intermediary::admit(&mut request, connection.local, &worker.request_ids)
    {
        return Ok(reject(&rejection, request.version(), ending));
    }
    ending.admitted(&request);
    let chain = Rc::clone(&worker.chain.borrow());
    if chain.filters.is_empty() {
        return Ok(forward(&worker, request, ending).await);
    }
    filter(&worker, &chain, request, connection, ending).await
}

/// Without plugins: the request goes to the upstream, the response comes back.
async fn forward(
    worker: &Worker,
    request: Request<Incoming>,
    mut ending: Ending,
) -> Response<ResponseBody> {
    let received = ending.received.clone();
    let route = worker
        .routes
        .choose(request.headers(), request.uri().path_and_query());
    let sent = match route {
        Some(route) => {
            ending.routed(route);
            let request = request.map(|body| RequestBody::direct(body, received));
            worker.send(route, request).await
        }
        None => Err(UpstreamFailure::NoRoute),
    };
    match sent {
        Ok(response) => {
            ending.responding(response.status());
            response.map(|source| ResponseBody::direct(source, ending))
        }
        Err(failure) => {
            let (parts, body) = failure.response().into_parts();
            ending.responding(parts.status);
            Response::from_parts(
                parts,
                ResponseBody::direct(ResponseSource::Full(body), ending),
            )
        }
    }
}

/// With plugins.
async fn filter(
    worker: &Worker,
    chain: &Chain,
    request: Request<Incoming>,
    connection: Rc<ConnectionInfo>,
    mut ending: Ending,
) -> Handled {
    let (parts, body) = request.into_parts();
    let end_of_stream = body.is_end_stream();
    let facts = Facts {
        connection,
        version: parts.version,
        request_id: parts.headers.get(X_REQUEST_ID).cloned(),
    };
    let body = RequestSource::new(body, ending.received.clone());
    let received = ending.received.clone();
    let body = (!end_of_stream).then_some(body);
    let exchange = Exchange::new(chain, Rc::clone(&worker.routes), facts, received, body);
    ending.exchange = Some(Rc::clone(&exchange));
    exchange.tell(|machine| machine.handle_request_head(request_head(parts), end_of_stream));

    let (head, end_of_stream) = match poll_fn(|cx| exchange.poll_step(cx, Pump::Request)).await {
        Step::Forward(head, end) => (head, end),
        Step::Respond(head, end) => return Ok(respond(&exchange, head, end, ending)),
        Step::Reset(reason) => return Err(ending.reset(reason)),
    };
    let step = match send(worker, &exchange, head, end_of_stream, &mut ending).await {
        Sent::Step(step) => step,
        Sent::Response(response) => {
            let (parts, source) = response.into_parts();
            let end_of_stream = source.is_end_stream();
            exchange.traffic.answered(source.addresses());
            if end_of_stream {
                exchange.upstream_ended(&source);
            } else {
                exchange.set_response_source(source);
            }
            let head = ResponseHead {
                status: Some(parts.status),
                headers: parts.headers,
            };
            exchange.tell(|machine| machine.handle_response_head(head, end_of_stream));
            poll_fn(|cx| exchange.poll_step(cx, Pump::Response)).await
        }
        Sent::Failed(failure) => {
            if let Some(kind) = failure.kind() {
                exchange.traffic.failed(kind);
            }
            exchange.tell(|machine| machine.handle_local_response(failure.local_response()));
            poll_fn(|cx| exchange.poll_step(cx, Pump::Nothing)).await
        }
    };
    match step {
        Step::Respond(head, end) => Ok(respond(&exchange, head, end, ending)),
        Step::Reset(reason) => Err(ending.reset(reason)),
        // The machine gives a head away once.
        Step::Forward(..) => Err("the request was forwarded twice".into()),
    }
}

enum Sent {
    Response(Response<ResponseSource>),
    Failed(UpstreamFailure),
    /// A plugin has ended the stream meanwhile.
    Step(Step),
}

/// Sends the request upstream, unless a plugin has other plans before the response is there.
async fn send(
    worker: &Worker,
    exchange: &Rc<Exchange>,
    head: RequestHead,
    end_of_stream: bool,
    ending: &mut Ending,
) -> Sent {
    let body = if end_of_stream {
        RequestBody::Empty
    } else {
        match exchange.take_transparent_request() {
            Some(source) => RequestBody::Direct(source),
            None => RequestBody::Filtered(Rc::clone(exchange)),
        }
    };
    let Some(route) = exchange.take_route(&head) else {
        return Sent::Failed(UpstreamFailure::NoRoute);
    };
    ending.routed(&route);
    if route.cluster().is_some() {
        exchange.traffic.attempt();
    }
    let mut upstream = pin!(worker.send(&route, upstream_request(head, body)));
    poll_fn(|cx| {
        if let Poll::Ready(step) = exchange.poll_step(cx, Pump::Nothing) {
            return Poll::Ready(Sent::Step(step));
        }
        upstream
            .as_mut()
            .poll(cx)
            .map(|sent| sent.map_or_else(Sent::Failed, Sent::Response))
    })
    .await
}

fn respond(
    exchange: &Rc<Exchange>,
    head: ResponseHead,
    end_of_stream: bool,
    mut ending: Ending,
) -> Response<ResponseBody> {
    let status = head.status.unwrap_or(StatusCode::BAD_GATEWAY);
    ending.responding(status);
    let body = if end_of_stream {
        ResponseBody::empty(ending)
    } else {
        match exchange.take_transparent_response() {
            Some(source) => ResponseBody::direct(source, ending),
            None => ResponseBody::filtered(Rc::clone(exchange), ending),
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = head.headers;
    response
}

impl Worker {
    async fn send(
        &self,
        route: &Route,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseSource>, UpstreamFailure> {
        route.apply(&mut request);
        let Some(cluster) = route.cluster() else {
            return Ok(echo::answer(request, self.echo_body)
                .await
                .map(ResponseSource::Full));
        };
        let mut response = match self.client.send(cluster, request).await {
            Ok(response) => response,
            Err(error) => return Err(self.upstream_failed(error.into())),
        };
        if let Err(rejection) = intermediary::admit_response(&mut response) {
            return Err(self.upstream_failed(rejection.into()));
        }
        Ok(response.map(ResponseSource::Upstream))
    }

    #[cold]
    fn upstream_failed(&self, failure: UpstreamFailure) -> UpstreamFailure {
        if let (Some(metrics), Some(kind)) = (&self.metrics, failure.kind()) {
            metrics.upstream_failed(kind.into());
        }
        failure
    }
}

/// The head as the chain sees it: the authority is the `host` field, whatever the protocol.
fn request_head(parts: request::Parts) -> RequestHead {
    RequestHead {
        method: Some(parts.method),
        scheme: Some(parts.uri.scheme().cloned().unwrap_or(Scheme::HTTP)),
        path: parts.uri.path_and_query().cloned(),
        headers: parts.headers,
    }
}

fn upstream_request(head: RequestHead, body: RequestBody) -> Request<RequestBody> {
    let mut request = Request::new(body);
    // The machine forwards no head without method and path.
    *request.method_mut() = head.method.unwrap_or(Method::GET);
    *request.uri_mut() = Uri::from(head.path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.headers_mut() = head.headers;
    request
}

fn reject(rejection: &Rejection, version: Version, mut ending: Ending) -> Response<ResponseBody> {
    tracing::debug!(
        status = rejection.status.as_u16(),
        reason = rejection.reason,
        "request refused"
    );
    ending.responding(rejection.status);
    let response = rejection.to_response(version);
    response.map(|body| ResponseBody::direct(ResponseSource::Full(Full::from(body)), ending))
}

/// Why there is no response from the upstream.
#[derive(Debug, thiserror::Error)]
enum UpstreamFailure {
    #[error("no route matches the request")]
    NoRoute,
    #[error(transparent)]
    Unreachable(#[from] UpstreamError),
    #[error("the upstream's response cannot be passed on: {0}")]
    Refused(#[from] Rejection),
}

impl UpstreamFailure {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Unreachable(error) => error.status(),
            Self::Refused(rejection) => rejection.status,
        }
    }

    /// What went wrong; nothing if no upstream was tried.
    fn kind(&self) -> Option<UpstreamErrorKind> {
        match self {
            Self::NoRoute => None,
            Self::Unreachable(error) => Some(error.kind()),
            Self::Refused(_) => Some(UpstreamErrorKind::Protocol),
        }
    }

    /// The error and what it came from, in one line.
    fn causes(&self) -> String {
        let mut text = self.to_string();
        let mut error: &dyn Error = self;
        while let Some(source) = error.source() {
            text = format!("{text}: {source}");
            error = source;
        }
        text
    }

    /// What a client may know: that the upstream failed, not where it is.
    fn text(&self) -> &'static str {
        match self.status() {
            StatusCode::NOT_FOUND => "no route\n",
            StatusCode::GATEWAY_TIMEOUT => "upstream timed out\n",
            StatusCode::SERVICE_UNAVAILABLE => "upstream unavailable\n",
            _ => "upstream failed\n",
        }
    }

    /// Envoy's words in access logs and the property `response.code_details`, where there are such.
    fn details(&self) -> &'static str {
        match self {
            Self::NoRoute => "route_not_found",
            Self::Unreachable(_) | Self::Refused(_) => "upstream_failure",
        }
    }

    fn log(&self) {
        match self {
            // What clients ask for is no event.
            Self::NoRoute => tracing::debug!("no route matches the request"),
            Self::Unreachable(_) | Self::Refused(_) => {
                tracing::warn!(error = self.causes(), "upstream failed");
            }
        }
    }

    /// The response of a proxy without plugins.
    fn response(&self) -> Response<Full<bytes::Bytes>> {
        self.log();
        let mut response = Response::new(Full::from(self.text()));
        *response.status_mut() = self.status();
        text(response.headers_mut());
        response
    }

    /// The response that passes the chain.
    fn local_response(&self) -> LocalResponse {
        self.log();
        LocalResponse {
            status: self.status(),
            headers: Vec::new(),
            body: self.text().into(),
            grpc_status: None,
            details: self.details().into(),
        }
    }
}

fn text(headers: &mut http::HeaderMap) {
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain"),
    );
}

/// The end of an exchange, whichever way it comes: a response fully sent, a client gone, an error.
pub(crate) struct Ending {
    worker: Rc<Worker>,
    exchange: Option<Rc<Exchange>>,
    record: Option<AccessRecord>,
    received: Received,
    /// The response's body has ended in an error.
    cut_off: bool,
    meter: RequestMeter,
}

impl Ending {
    fn new(worker: &Rc<Worker>, request: &Request<Incoming>, connection: &ConnectionInfo) -> Self {
        let record = worker
            .access_log
            .as_ref()
            .map(|_| AccessRecord::new(request, connection));
        Self {
            worker: Rc::clone(worker),
            exchange: None,
            record,
            received: Received::default(),
            cut_off: false,
            meter: RequestMeter::start(worker.metrics.as_deref()),
        }
    }

    fn admitted(&mut self, request: &Request<Incoming>) {
        if let Some(record) = &mut self.record {
            record.request_id = request.headers().get(X_REQUEST_ID).cloned();
        }
        // The access log shows it, and properties.
        let is_asked_for = self.record.is_some() || !self.worker.chain.borrow().filters.is_empty();
        if is_asked_for && !request.body().is_end_stream() {
            self.received = Received::counted();
        }
    }

    /// The request goes to the route's cluster.
    fn routed(&mut self, route: &Route) {
        if let Some(record) = &mut self.record {
            record.upstream = route.cluster_name().cloned();
        }
    }

    fn responding(&mut self, status: StatusCode) {
        self.meter.responding(status);
        if let Some(record) = &mut self.record {
            record.status = Some(status);
        }
    }

    /// So many bytes of the response's body went downstream.
    #[inline]
    pub(super) fn sent(&mut self, bytes: usize) {
        if let Some(record) = &mut self.record {
            record.response_bytes += bytes as u64;
        }
        if let Some(exchange) = &self.exchange {
            exchange.traffic.add_sent(bytes);
        }
    }

    /// A part of the upstream's response went past the chain.
    #[inline]
    pub(super) fn direct(&mut self, source: &ResponseSource) {
        if let Some(exchange) = &self.exchange
            && source.is_end_stream()
        {
            exchange.upstream_ended(source);
        }
    }

    /// The response's body ends in an error.
    pub(super) fn failed(&mut self, error: &BoxError) {
        tracing::debug!(%error, "response cut off");
        self.cut_off = true;
    }

    fn reset(self, reason: ResetReason) -> BoxError {
        StreamReset(reason).into()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(exchange) = &self.exchange {
            exchange.finish();
        }
        if let Some(metrics) = &self.worker.metrics {
            self.meter.end(metrics);
            let reset = self.exchange.as_ref().and_then(|it| it.reset_cause());
            // What goes past the chain breaks off in the upstream only.
            if let Some(cause) = reset.or(self.cut_off.then_some(ResetCause::Upstream)) {
                metrics.stream_reset(cause);
            }
        }
        if let (Some(mut record), Some(log)) = (self.record.take(), &self.worker.access_log) {
            record.request_bytes = self.received.bytes();
            log.write(&record);
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

//! One request from downstream to upstream and back.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use http::uri::{PathAndQuery, Scheme, Uri};
use http::{Method, Request, Response, StatusCode, Version, request};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use proxy_wasi_stream::{RequestHead, ResetReason, ResponseHead};

use super::bodies::{RequestBody, RequestSource, ResponseBody, ResponseSource};
use super::chain::{Bindings, Chain};
use super::ending::Ending;
use super::exchange::{Exchange, Facts, Pump, Step};
use super::routes::{Route, Routes};
use super::upstream_failure::UpstreamFailure;
use crate::BoxError;
use crate::connection_fields::strip_but_trailers;
use crate::metrics::WorkerMetrics;
use crate::server::intermediary::{self, Rejection, X_REQUEST_ID};
use crate::server::{AccessLog, ConnectionInfo, RequestIds};
use crate::upstream::{UpstreamClient, echo};

/// What the requests of a worker share.
pub(crate) struct Worker {
    /// Replaceable: an exchange keeps the filters it began with.
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

type Handled = Result<Response<ResponseBody>, BoxError>;

/// Serves a request. An error of the future: the stream is to be reset.
///
/// An exchange's whole state lives in the future, some kilobytes: boxed where it is made, it is moved once, and what
/// goes past the chain has no room for what does not.
pub(crate) fn handle(
    worker: Rc<Worker>,
    mut request: Request<Incoming>,
    connection: Rc<ConnectionInfo>,
) -> Pin<Box<dyn Future<Output = Handled>>> {
    let mut ending = Ending::new(&worker, &request, &connection);
    if let Err(rejection) = intermediary::admit(&mut request, connection.local, &worker.request_ids)
    {
        let response = reject(&rejection, request.version(), ending);
        return Box::pin(ready(Ok(response)));
    }
    ending.admitted(&request);
    let bindings = worker.chain.borrow().bind(request.body().is_end_stream());
    match bindings {
        None => Box::pin(forward(worker, request, ending)),
        Some(bindings) => Box::pin(filter(worker, bindings, request, connection, ending)),
    }
}

/// Without plugins, or with none that wants to see anything: the request goes to the upstream, the response comes back.
async fn forward(worker: Rc<Worker>, request: Request<Incoming>, mut ending: Ending) -> Handled {
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
    let response = match sent {
        Ok(response) => response,
        Err(failure) => failure.response().map(ResponseSource::Full),
    };
    ending.responding(response.status());
    Ok(response.map(|source| ResponseBody::direct(source, ending)))
}

/// With plugins.
async fn filter(
    worker: Rc<Worker>,
    bindings: Bindings,
    request: Request<Incoming>,
    connection: Rc<ConnectionInfo>,
    mut ending: Ending,
) -> Handled {
    let (parts, body) = request.into_parts();
    let end_of_stream = body.is_end_stream();
    let facts = Facts {
        connection,
        version: parts.version,
        is_head: parts.method == Method::HEAD,
        request_id: parts.headers.get(X_REQUEST_ID).cloned(),
    };
    let body = RequestSource::new(body, ending.received.clone());
    let received = ending.received.clone();
    let body = (!end_of_stream).then_some(body);
    let exchange = Exchange::new(bindings, Rc::clone(&worker.routes), facts, received, body);
    ending.exchange = Some(Rc::clone(&exchange));
    exchange.tell(|machine| machine.handle_request_head(request_head(parts), end_of_stream));

    let (head, end_of_stream) = match poll_fn(|cx| exchange.poll_step(cx, Pump::Request)).await {
        Step::Forward(head, end) => (head, end),
        Step::Respond(head, end) => return Ok(respond(&exchange, head, end, ending)),
        Step::Reset(reason) => return reset(&exchange, reason, ending),
        Step::BrokenOff => return Ok(broken_off(&exchange, ending)),
    };
    let step = match send(&worker, &exchange, head, end_of_stream, &mut ending).await {
        Sent::Step(step) => step,
        Sent::Response(response) => {
            let (parts, source) = response.into_parts();
            let end_of_stream = source.is_end_stream();
            exchange.traffic.answered(source.connection());
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
            poll_fn(|cx| exchange.poll_step(cx, Pump::Request)).await
        }
        Sent::Abandoned => poll_fn(|cx| exchange.poll_step(cx, Pump::Request)).await,
    };
    match step {
        Step::Respond(head, end) => Ok(respond(&exchange, head, end, ending)),
        Step::Reset(reason) => reset(&exchange, reason, ending),
        Step::BrokenOff => Ok(broken_off(&exchange, ending)),
        // The machine gives a head away once.
        Step::Forward(..) => Err("the request was forwarded twice".into()),
    }
}

enum Sent {
    Response(Response<ResponseSource>),
    Failed(UpstreamFailure),
    /// A local response has taken the upstream's place, and plugins still hold it.
    Abandoned,
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
        // The request may be what makes a plugin answer, so that sending it fails: that is not the upstream's failure.
        if !exchange.is_upstream_abandoned() {
            let sent = upstream.as_mut().poll(cx);
            if !exchange.is_upstream_abandoned() {
                return sent.map(|sent| sent.map_or_else(Sent::Failed, Sent::Response));
            }
        }
        Poll::Ready(Sent::Abandoned)
    })
    .await
}

fn respond(
    exchange: &Rc<Exchange>,
    mut head: ResponseHead,
    end_of_stream: bool,
    mut ending: Ending,
) -> Response<ResponseBody> {
    let status = head.status.unwrap_or(StatusCode::BAD_GATEWAY);
    ending.responding(status);
    intermediary::finish_response_head(status, &mut head.headers);
    // Plugins may have changed the status, or the request's method, of a response that the upstream sends a body with.
    let ends_with_head = end_of_stream
        || exchange.facts.is_head
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = if ends_with_head {
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
            let answer = Box::pin(echo::answer(request, self.echo_body));
            return Ok(answer.await.map(ResponseSource::Full));
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
    // Plugins may have put some in.
    strip_but_trailers(request.headers_mut());
    request
}

/// The stream fails before there is a response.
fn reset(exchange: &Exchange, reason: ResetReason, ending: Ending) -> Handled {
    // A mistake of a plugin's that the client can be told of.
    if matches!(reason, ResetReason::ContentLength { .. }) {
        let version = exchange.facts.version;
        return Ok(reject(&Rejection::UNTRUE_LENGTH, version, ending));
    }
    Err(ending.reset(reason))
}

fn broken_off(exchange: &Exchange, ending: Ending) -> Response<ResponseBody> {
    reject(&Rejection::BROKEN_BODY, exchange.facts.version, ending)
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

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

//! What is done when an exchange ends.

use std::rc::Rc;
use std::task::{Context, Poll};

use http::{Request, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use proxy_wasi_stream::ResetReason;

use super::bodies::{Received, ResponseSource};
use super::exchange::Exchange;
use super::handle::Worker;
use super::routes::Route;
use crate::BoxError;
use crate::metrics::{RequestMeter, ResetCause};
use crate::server::intermediary::X_REQUEST_ID;
use crate::server::{AccessRecord, ConnectionInfo};

/// A stream that fails without a response: its connection is closed, or its HTTP/2 stream reset.
#[derive(Debug, thiserror::Error)]
#[error("stream reset: {0}")]
pub(crate) struct StreamReset(ResetReason);

/// The end of an exchange, whichever way it comes: a response fully sent, a client gone, an error.
pub(crate) struct Ending {
    worker: Rc<Worker>,
    pub(super) exchange: Option<Rc<Exchange>>,
    record: Option<AccessRecord>,
    pub(super) received: Received,
    /// The response's body has ended in an error.
    cut_off: bool,
    meter: RequestMeter,
}

impl Ending {
    pub(super) fn new(
        worker: &Rc<Worker>,
        request: &Request<Incoming>,
        connection: &ConnectionInfo,
    ) -> Self {
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

    pub(super) fn admitted(&mut self, request: &Request<Incoming>) {
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
    pub(super) fn routed(&mut self, route: &Route) {
        if let Some(record) = &mut self.record {
            record.upstream = route.cluster_name().cloned();
        }
    }

    pub(super) fn responding(&mut self, status: StatusCode) {
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

    /// Why a response that goes past the chain goes no further, once there is a reason.
    #[inline]
    pub(super) fn poll_aborted(&self, cx: &mut Context<'_>) -> Poll<BoxError> {
        match &self.exchange {
            Some(exchange) => exchange.poll_aborted(cx),
            None => Poll::Pending,
        }
    }

    /// The response's body ends in an error.
    pub(super) fn failed(&mut self, error: &BoxError) {
        tracing::debug!(%error, "response cut off");
        self.cut_off = true;
    }

    pub(super) fn reset(self, reason: ResetReason) -> BoxError {
        StreamReset(reason).into()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(exchange) = &self.exchange {
            if self.meter.is_unanswered() {
                exchange.log_holder();
            }
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

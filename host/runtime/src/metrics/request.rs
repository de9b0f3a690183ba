//! Measures one exchange.

use std::time::Instant;

use http::StatusCode;

use super::WorkerMetrics;

/// Measures an exchange from the arrival of its request to its end, if anybody wants to know.
#[derive(Debug, Default)]
pub(crate) struct RequestMeter {
    began: Option<Instant>,
    status: Option<StatusCode>,
}

impl RequestMeter {
    #[inline]
    pub(crate) fn start(metrics: Option<&WorkerMetrics>) -> Self {
        let began = metrics.map(|metrics| {
            metrics.request_began();
            Instant::now()
        });
        Self {
            began,
            status: None,
        }
    }

    /// The response that goes downstream has this status.
    #[inline]
    pub(crate) fn responding(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// Whether no response went downstream.
    #[inline]
    pub(crate) fn is_unanswered(&self) -> bool {
        self.status.is_none()
    }

    /// The exchange is over.
    #[inline]
    pub(crate) fn end(&mut self, metrics: &WorkerMetrics) {
        if let Some(began) = self.began.take() {
            metrics.request_ended(self.status, began.elapsed());
        }
    }
}

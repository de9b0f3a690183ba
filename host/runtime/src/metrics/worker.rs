//! Counters that one thread writes and any may read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use super::label;
use crate::upstream::UpstreamErrorKind;

/// A number that only one thread changes: that costs a load and a store, no locked instruction.
#[derive(Debug, Default)]
pub(super) struct OwnCounter(AtomicU64);

impl OwnCounter {
    #[inline]
    pub(super) fn add(&self, amount: u64) {
        self.0
            .store(self.get().wrapping_add(amount), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn subtract(&self, amount: u64) {
        self.0
            .store(self.get().wrapping_sub(amount), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds in seconds: Envoy's default buckets, which are milliseconds.
pub(super) const DURATION_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    300.0, 600.0, 1_800.0, 3_600.0,
];

/// The classes of a response's status, and a request that got none.
pub(super) const STATUS_CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

label! {
    /// Why an upstream did not answer.
    pub enum UpstreamFailureCause {
        /// The host name has no address.
        Resolve = "resolve",
        /// No connection.
        Connect = "connect",
        /// No TLS on the connection.
        Tls = "tls",
        /// No connection within the connect timeout.
        ConnectTimeout = "connect_timeout",
        /// The cluster has as many connections as it may.
        Overloaded = "overloaded",
        /// The connection ended before the exchange did.
        Reset = "reset",
        /// No response head within the response timeout.
        ResponseTimeout = "response_timeout",
        /// No progress within the idle timeout.
        IdleTimeout = "idle_timeout",
        /// The upstream broke the rules of HTTP, or its response cannot be passed on.
        Protocol = "protocol",
        /// The request could not be read to its end, did not go on, or cannot be expressed upstream.
        Request = "request",
    }
}

impl From<UpstreamErrorKind> for UpstreamFailureCause {
    fn from(kind: UpstreamErrorKind) -> Self {
        match kind {
            UpstreamErrorKind::Resolve => Self::Resolve,
            UpstreamErrorKind::Connect => Self::Connect,
            UpstreamErrorKind::Tls => Self::Tls,
            UpstreamErrorKind::ConnectTimeout => Self::ConnectTimeout,
            UpstreamErrorKind::Overloaded => Self::Overloaded,
            UpstreamErrorKind::Reset => Self::Reset,
            UpstreamErrorKind::ResponseTimeout => Self::ResponseTimeout,
            UpstreamErrorKind::IdleTimeout => Self::IdleTimeout,
            UpstreamErrorKind::NoHttp2 | UpstreamErrorKind::Protocol => Self::Protocol,
            UpstreamErrorKind::Request
            | UpstreamErrorKind::RequestBody
            | UpstreamErrorKind::RequestTimeout => Self::Request,
        }
    }
}

label! {
    /// Why an exchange was reset after its response had begun, or on a plugin's wish.
    pub enum ResetCause {
        /// A plugin wanted it.
        Plugin = "plugin",
        /// A plugin's local response came too late.
        LateLocalResponse = "late_local_response",
        /// The proxy's own response came too late.
        LateHostResponse = "late_host_response",
        /// A plugin failed.
        PluginFailed = "plugin_failed",
        /// A plugin held more of a body than it may.
        BodyTooLarge = "body_too_large",
        /// A plugin changed a body's length after its `content-length` had gone.
        ContentLength = "content_length",
        /// The upstream broke off.
        Upstream = "upstream",
    }
}

/// What one worker counts. Only its own thread writes; any may read.
#[derive(Debug, Default)]
pub struct WorkerMetrics {
    pub(super) active: OwnCounter,
    /// By place in [`STATUS_CLASSES`].
    pub(super) requests: [OwnCounter; STATUS_CLASSES.len()],
    /// One for each of [`DURATION_BUCKETS`], and one for what lies above.
    pub(super) durations: [OwnCounter; DURATION_BUCKETS.len() + 1],
    pub(super) duration_nanos: OwnCounter,
    /// By place in [`UpstreamFailureCause::ALL`].
    pub(super) upstream_failures: [OwnCounter; UpstreamFailureCause::ALL.len()],
    /// By place in [`ResetCause::ALL`].
    pub(super) resets: [OwnCounter; ResetCause::ALL.len()],
}

impl WorkerMetrics {
    /// A request has come.
    #[inline]
    pub fn request_began(&self) {
        self.active.add(1);
    }

    /// An exchange is over, with the status of its response if it had one.
    pub fn request_ended(&self, status: Option<StatusCode>, took: Duration) {
        self.active.subtract(1);
        let class = status.map_or(0, |status| usize::from(status.as_u16() / 100));
        // Statuses above 599 are nobody's; they count as none.
        let class = self.requests.get(class).unwrap_or(&self.requests[0]);
        class.add(1);
        let seconds = took.as_secs_f64();
        let bucket = DURATION_BUCKETS.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.durations.get(bucket) {
            count.add(1);
        }
        self.duration_nanos
            .add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// An exchange was reset.
    pub fn stream_reset(&self, cause: ResetCause) {
        if let Some(count) = self.resets.get(cause as usize) {
            count.add(1);
        }
    }

    /// An upstream has failed.
    pub fn upstream_failed(&self, cause: UpstreamFailureCause) {
        if let Some(count) = self.upstream_failures.get(cause as usize) {
            count.add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counters: &[OwnCounter]) -> Vec<u64> {
        counters.iter().map(OwnCounter::get).collect()
    }

    #[test]
    fn requests_are_counted_by_class() {
        let worker = WorkerMetrics::default();
        for status in [Some(200), Some(204), Some(404), Some(599), Some(999), None] {
            worker.request_began();
            let status = status.map(|status| StatusCode::from_u16(status).unwrap());
            worker.request_ended(status, Duration::ZERO);
        }
        worker.request_began();
        assert_eq!(worker.active.get(), 1);
        assert_eq!(counts(&worker.requests), [2, 0, 2, 0, 1, 1]);
    }

    #[test]
    fn durations_fall_into_buckets_that_include_their_bound() {
        let worker = WorkerMetrics::default();
        for micros in [0, 500, 501, 1_000_000, 3_600_000_001] {
            worker.request_began();
            worker.request_ended(None, Duration::from_micros(micros));
        }
        let durations = counts(&worker.durations);
        assert_eq!(durations[..3], [2, 1, 0]);
        assert_eq!(durations[9], 1);
        assert_eq!(durations.last(), Some(&1));
        assert_eq!(worker.duration_nanos.get(), 3_601_001_002_000);
    }

    #[test]
    fn each_cause_has_a_counter_of_its_own() {
        let worker = WorkerMetrics::default();
        for cause in UpstreamFailureCause::ALL {
            worker.upstream_failed(*cause);
        }
        assert!(
            counts(&worker.upstream_failures)
                .iter()
                .all(|one| *one == 1)
        );
    }
}

//! Limits and timeouts: the default of each is a constant that says why.

use std::time::Duration;

/// Bytes. Envoy's default buffer limit, so a plugin that can buffer a body there can buffer it here.
pub const DEFAULT_REQUEST_BUFFER: usize = 1024 * 1024;

/// Bytes. Envoy's default buffer limit.
pub const DEFAULT_RESPONSE_BUFFER: usize = 1024 * 1024;

/// Bytes. A JavaScript component starts with more than 64 MiB and Go reserves as much as it grows; four times that
/// leaves room to work and still ends a leak before it takes the machine. It is a ceiling: memory that is not
/// touched costs nothing.
pub const DEFAULT_VM_MEMORY: usize = 256 * 1024 * 1024;

/// A callback waits for nothing, and its worker serves nobody else while it runs. Honest ones take microseconds.
pub const DEFAULT_CALLBACK_TIME: Duration = Duration::from_secs(1);

/// Plugins read their rules while they start: a firewall in Go with the OWASP Core Rule Set takes two to four seconds.
/// Ten times that leaves room for slow machines, and still ends a plugin that never comes back.
pub const DEFAULT_START_TIME: Duration = Duration::from_secs(30);

/// HTTP and gRPC callouts of one VM that are not over. Envoy has no limit; its circuit breakers end at 1024 requests to a
/// cluster. A plugin that makes one for each stream needs as many as its worker has streams that wait.
pub const DEFAULT_CALLOUTS: usize = 1024;

/// What one VM may be allowed: beyond this its sockets are the machine's problem.
pub const MOST_CALLOUTS: usize = 65_536;

/// Bytes. As much as of an upstream's response: what a plugin can look at there it can look at here.
pub const DEFAULT_CALLOUT_RESPONSE: usize = 1024 * 1024;

/// What Envoy's guide for proxies at the edge advises for `request_headers_timeout`: slow enough for any client that
/// means it, fast enough against those that hold connections open on purpose.
pub const DEFAULT_HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Envoy's default `connect_timeout`. Covers a lost SYN (1 s until the second, 3 s until the third) and a slow resolver.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Envoy's default route timeout. Here it ends with the response head, so it does not cut long downloads.
pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);

/// Envoy's default `stream_idle_timeout`: long polls and event streams say something more often. Longer than what clients
/// and load balancers keep idle connections for, so that they close first and no request meets a closing connection.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Kubernetes kills 30 s after it asks to stop: 25 s leave time to say which streams were cut.
pub const DEFAULT_DRAIN_GRACE: Duration = Duration::from_secs(25);

/// The first wait before a VM is built again, after one attempt at once. Envoy's base interval for reloads.
pub const DEFAULT_RESTART_FIRST_WAIT: Duration = Duration::from_secs(1);

/// A plugin that needs a minute to come back is noticed by then.
pub const DEFAULT_RESTART_LONGEST_WAIT: Duration = Duration::from_secs(60);

/// As long as the longest wait: who runs for longer than it is waited for is of use.
pub const DEFAULT_RESTART_HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// With the waits above that is about three minutes of crashing: longer than anything that passes by itself within a
/// deployment.
pub const DEFAULT_RESTART_FAILURES: u32 = 10;

/// More is as good as for ever.
pub const MOST_RESTART_FAILURES: u32 = 1_000_000;

/// What one stream or one VM may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request body that each plugin of a stream may hold back. More ends the stream with 413. Default:
    /// [`DEFAULT_REQUEST_BUFFER`].
    pub request_buffer: usize,
    /// Bytes of a response body that each plugin of a stream may hold back. More ends the stream with 500, or cuts the
    /// response off if its head has gone. Default:
    /// [`DEFAULT_RESPONSE_BUFFER`].
    pub response_buffer: usize,
    /// Bytes of linear memory that one VM may grow to. Growing further fails inside the plugin. Default:
    /// [`DEFAULT_VM_MEMORY`].
    pub vm_memory: usize,
    /// Processor time that one callback may use before its VM is ended; waiting for a turn on a busy machine does not
    /// count. Default: [`DEFAULT_CALLBACK_TIME`].
    pub callback_time: Duration,
    /// How long a plugin may take to start, and then to be configured, before its VM is ended: `proxy_on_vm_start` and
    /// `proxy_on_configure`. Default: [`DEFAULT_START_TIME`].
    pub start_time: Duration,
    /// Callouts of one VM that are not over. One more is refused. Default: [`DEFAULT_CALLOUTS`].
    pub callouts: usize,
    /// Bytes of a callout's response body, or of one gRPC message, either way. More fails the callout. Default:
    /// [`DEFAULT_CALLOUT_RESPONSE`].
    pub callout_response: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_buffer: DEFAULT_REQUEST_BUFFER,
            response_buffer: DEFAULT_RESPONSE_BUFFER,
            vm_memory: DEFAULT_VM_MEMORY,
            callback_time: DEFAULT_CALLBACK_TIME,
            start_time: DEFAULT_START_TIME,
            callouts: DEFAULT_CALLOUTS,
            callout_response: DEFAULT_CALLOUT_RESPONSE,
        }
    }
}

/// How long the proxy waits for clients and upstreams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the first byte of a request head to its last. Default: [`DEFAULT_HEADER_READ_TIMEOUT`].
    pub header_read: Duration,
    /// To connect to an upstream; then 503. Default: [`DEFAULT_CONNECT_TIMEOUT`].
    pub connect: Duration,
    /// From the end of the request to the upstream's response head; then 504. Default:
    /// [`DEFAULT_RESPONSE_TIMEOUT`].
    pub response: Duration,
    /// While nothing moves, in a stream or between two requests of a connection. Default:
    /// [`DEFAULT_IDLE_TIMEOUT`].
    pub idle: Duration,
    /// For running streams to end after the proxy was asked to stop. Default: [`DEFAULT_DRAIN_GRACE`].
    pub drain_grace: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header_read: DEFAULT_HEADER_READ_TIMEOUT,
            connect: DEFAULT_CONNECT_TIMEOUT,
            response: DEFAULT_RESPONSE_TIMEOUT,
            idle: DEFAULT_IDLE_TIMEOUT,
            drain_grace: DEFAULT_DRAIN_GRACE,
        }
    }
}

/// When a VM that failed is built again (`recovery: restart`): at once, then after waits that double, until it is
/// given up as a crash loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restarts {
    /// The wait after the second failure in a row. Each further one doubles it. Default:
    /// [`DEFAULT_RESTART_FIRST_WAIT`].
    pub first_wait: Duration,
    /// What waits end to grow at. Default: [`DEFAULT_RESTART_LONGEST_WAIT`].
    pub longest_wait: Duration,
    /// A VM that has run for so long is healthy: its next failure is a first one again. Default:
    /// [`DEFAULT_RESTART_HEALTHY_AFTER`].
    pub healthy_after: Duration,
    /// Failures in a row after which no other VM is built; at least 1. Default: [`DEFAULT_RESTART_FAILURES`].
    pub failures: u32,
}

impl Default for Restarts {
    fn default() -> Self {
        Self {
            first_wait: DEFAULT_RESTART_FIRST_WAIT,
            longest_wait: DEFAULT_RESTART_LONGEST_WAIT,
            healthy_after: DEFAULT_RESTART_HEALTHY_AFTER,
            failures: DEFAULT_RESTART_FAILURES,
        }
    }
}

impl Restarts {
    /// The wait after so many failures in a row; nothing when it is enough.
    pub(crate) fn wait_after(&self, failures: u32) -> Option<Duration> {
        if failures >= self.failures {
            return None;
        }
        // The first attempt is made at once.
        let Some(doublings) = failures.checked_sub(2) else {
            return Some(Duration::ZERO);
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        Some(
            self.first_wait
                .saturating_mul(factor)
                .min(self.longest_wait),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(restarts: Restarts, failures: u32) -> Vec<Option<u64>> {
        (1..=failures)
            .map(|failures| Some(restarts.wait_after(failures)?.as_secs()))
            .collect()
    }

    #[test]
    fn waits_double_until_it_is_enough() {
        let doubling = [0, 1, 2, 4, 8, 16, 32, 60, 60].map(Some);
        let expected = [&doubling[..], &[None, None]].concat();
        assert_eq!(waits(Restarts::default(), 11), expected);
    }

    #[test]
    fn waits_never_get_too_large() {
        let restarts = Restarts {
            longest_wait: Duration::from_secs(5),
            failures: u32::MAX,
            ..Restarts::default()
        };
        assert_eq!(waits(restarts, 6), [0, 1, 2, 4, 5, 5].map(Some));
        for failures in [33, 34, 35, u32::MAX - 1] {
            assert_eq!(restarts.wait_after(failures), Some(restarts.longest_wait));
        }
        let first = Restarts {
            failures: 1,
            ..restarts
        };
        assert_eq!(first.wait_after(1), None);
    }
}

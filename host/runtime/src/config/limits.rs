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

/// Envoy's default `connect_timeout`. Three retransmitted SYNs fit in (1 s, then 2 s more).
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Envoy's default route timeout. Here it ends with the response head, so it does not cut long downloads.
pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);

/// Envoy's default `stream_idle_timeout`. Longer than what clients and load balancers keep idle connections for.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Kubernetes kills 30 s after it asks to stop: 25 s leave time to say which streams were cut.
pub const DEFAULT_DRAIN_GRACE: Duration = Duration::from_secs(25);

/// What one stream or one VM may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request body that the filter chain may hold back. More ends the stream with 413. Default:
    /// [`DEFAULT_REQUEST_BUFFER`].
    pub request_buffer: usize,
    /// Bytes of a response body that the filter chain may hold back. More ends the stream with an error. Default:
    /// [`DEFAULT_RESPONSE_BUFFER`].
    pub response_buffer: usize,
    /// Bytes of linear memory that one VM may grow to. Growing further fails inside the plugin. Default:
    /// [`DEFAULT_VM_MEMORY`].
    pub vm_memory: usize,
    /// How long one callback may run before its VM is ended. Default: [`DEFAULT_CALLBACK_TIME`].
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

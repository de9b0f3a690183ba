//! What a server allows its clients.

use std::time::Duration;

use crate::config::Timeouts;

/// Bytes of a request head. Envoy's default (60 KiB), so that what passes there passes here.
pub const DEFAULT_MAX_HEAD_BYTES: usize = 60 * 1024;
/// HTTP/2 exchanges of a connection at a time; nginx's default, and above the 100 that RFC 9113, 6.5.2, asks for.
pub const DEFAULT_MAX_CONCURRENT_STREAMS: u32 = 128;
/// Connections of a worker. With one upstream connection each, two workers stay within 65,536 open files.
pub const DEFAULT_MAX_CONNECTIONS: usize = 16_000;
/// For requests that are on their way when draining starts: an idle connection stays this long, instead of being
/// closed under a request that its client has just sent.
pub const DEFAULT_DRAIN_LINGER: Duration = Duration::from_millis(500);
/// For a client to read the last response and close, when it is still sending, or was told to (HTTP/2); nginx's
/// `lingering_timeout`.
pub const DEFAULT_CLOSE_LINGER: Duration = Duration::from_secs(5);
/// Connections that the kernel completes before they are accepted; Linux caps it at `net.core.somaxconn` (4096).
pub const DEFAULT_BACKLOG: i32 = 4096;

/// Limits of a server. The defaults are those of a configuration, see [`new`](Self::new).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOptions {
    /// From the first byte of a request head, or the connection, to the head's end; in HTTP/2 for the first head only.
    pub header_read_timeout: Duration,
    /// For a connection without a request.
    pub keep_alive_timeout: Duration,
    /// For a connection with an open request and no byte in either direction.
    pub idle_timeout: Duration,
    /// Bytes of a request head; a longer one is answered with 431.
    pub max_head_bytes: usize,
    /// Exchanges of an HTTP/2 connection at a time; the client is told.
    pub max_concurrent_streams: u32,
    /// Connections at a time; more wait in the kernel.
    pub max_connections: usize,
    /// How long open exchanges may take to end when draining.
    pub drain_grace: Duration,
    /// How long an idle connection is kept for a request on its way when draining.
    pub drain_linger: Duration,
    /// How long a closed connection is kept for a client that is still sending to read the last response, and one over
    /// HTTP/2 for a client that says nothing when told that it ends.
    pub close_linger: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self::new(&Timeouts::default())
    }
}

impl ServerOptions {
    /// What a configuration says, and the `DEFAULT_` constants of [`server`](crate::server) for what it does not.
    #[must_use]
    pub fn new(timeouts: &Timeouts) -> Self {
        Self {
            header_read_timeout: timeouts.header_read,
            keep_alive_timeout: timeouts.idle,
            idle_timeout: timeouts.idle,
            max_head_bytes: DEFAULT_MAX_HEAD_BYTES,
            max_concurrent_streams: DEFAULT_MAX_CONCURRENT_STREAMS,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            drain_grace: timeouts.drain_grace,
            drain_linger: DEFAULT_DRAIN_LINGER,
            close_linger: DEFAULT_CLOSE_LINGER,
        }
    }
}

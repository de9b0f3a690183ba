//! The two ends of a connection to an upstream.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use tokio::net::TcpStream;

/// The addresses of a connection to an upstream: what its name was resolved to, and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamAddresses {
    /// The upstream's.
    pub peer: SocketAddr,
    /// Ours.
    pub local: SocketAddr,
}

impl UpstreamAddresses {
    /// None if the connection has ended already.
    pub(super) fn of(stream: &TcpStream) -> Option<Rc<Self>> {
        Some(Rc::new(Self {
            peer: stream.peer_addr().ok()?,
            local: stream.local_addr().ok()?,
        }))
    }
}

/// How a request was sent.
#[derive(Clone, Debug)]
pub struct SentRequest {
    /// Over which connection, if that is known.
    pub addresses: Option<Rc<UpstreamAddresses>>,
    /// When its head was handed to the connection.
    pub at: Instant,
}

//! What is known of a connection to an upstream: its two ends, and what TLS has shown of the peer.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use rustls::ProtocolVersion;
use rustls::pki_types::CertificateDer;

use super::io::UpstreamIo;

/// A connection to an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamConnection {
    /// The upstream's address: what its name was resolved to.
    pub peer: SocketAddr,
    /// Ours.
    pub local: SocketAddr,
    /// Of a connection with TLS.
    pub tls: Option<UpstreamTls>,
}

/// What the handshake has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamTls {
    /// The version of TLS, once it is agreed on.
    pub version: Option<ProtocolVersion>,
    /// The upstream's own certificate, which was found to be good. Nothing of it is read before somebody asks.
    pub certificate: Option<CertificateDer<'static>>,
}

impl UpstreamConnection {
    /// None if the connection has ended already.
    pub(super) fn of(io: &UpstreamIo) -> Option<Rc<Self>> {
        let tcp = io.tcp();
        Some(Rc::new(Self {
            peer: tcp.peer_addr().ok()?,
            local: tcp.local_addr().ok()?,
            tls: io.tls().map(UpstreamTls::of),
        }))
    }
}

impl UpstreamTls {
    fn of(session: &rustls::ClientConnection) -> Self {
        let chain = session.peer_certificates().unwrap_or_default();
        Self {
            version: session.protocol_version(),
            // Of the chain only the first is asked for, so that only it outlives the handshake.
            certificate: chain.first().cloned(),
        }
    }
}

/// How a request was sent.
#[derive(Clone, Debug)]
pub struct SentRequest {
    /// Over which connection, if that is known.
    pub connection: Option<Rc<UpstreamConnection>>,
    /// When its head was handed to the connection.
    pub at: Instant,
}

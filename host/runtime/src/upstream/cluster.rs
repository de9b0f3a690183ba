//! What is known of an upstream before any connection to it exists.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::uri::{Authority, Scheme};

use super::tls::{ClusterTls, TlsError, Trust};
use crate::config::{ClusterConfig, UpstreamProtocol, UpstreamUrl};

/// An upstream: a name for configuration and plugins, a protocol and an address.
///
/// Immutable, shared by all workers. Connections belong to the [`UpstreamClient`](super::UpstreamClient) of each
/// worker; a cluster that is replaced, even by an equal one, gets new connections.
#[derive(Debug)]
pub struct Cluster {
    name: String,
    url: UpstreamUrl,
    /// The address, when the host is one and needs no resolver.
    address: Option<SocketAddr>,
    tls: Option<ClusterTls>,
}

impl Cluster {
    /// Makes a cluster. Host names are resolved when a connection is made.
    ///
    /// # Errors
    ///
    /// For `https://`: there are no certificates to trust, or the host is no name that a certificate can be for.
    ///
    /// ```
    /// use proxy_wasi_runtime::config::{ClusterConfig, UpstreamProtocol, UpstreamUrl};
    /// use proxy_wasi_runtime::upstream::{Cluster, Trust};
    ///
    /// let url = UpstreamUrl::parse("h2c://localhost:9000")?;
    /// let cluster = Cluster::new(&ClusterConfig::new("auth", url), &Trust::default())?;
    /// assert_eq!(cluster.protocol(), UpstreamProtocol::H2c);
    /// assert_eq!(cluster.authority().as_str(), "localhost:9000");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(config: &ClusterConfig, trust: &Trust) -> Result<Self, TlsError> {
        let tls = match config.url.protocol() {
            UpstreamProtocol::Http1 | UpstreamProtocol::H2c => None,
            UpstreamProtocol::Https => Some(ClusterTls::new(config, trust)?),
        };
        let ip = config.url.host().parse::<IpAddr>().ok();
        Ok(Self {
            name: config.name.clone(),
            address: ip.map(|ip| SocketAddr::new(ip, config.url.port())),
            url: config.url.clone(),
            tls,
        })
    }

    /// The name that configuration and plugins know the cluster by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The protocol spoken to it.
    #[must_use]
    pub fn protocol(&self) -> UpstreamProtocol {
        self.url.protocol()
    }

    /// Host and port as configured, fit for a `host` field.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.url.authority()
    }

    /// The scheme of request targets, whatever the version of HTTP.
    #[must_use]
    pub fn request_scheme(&self) -> Scheme {
        match self.protocol() {
            UpstreamProtocol::Http1 | UpstreamProtocol::H2c => Scheme::HTTP,
            UpstreamProtocol::Https => Scheme::HTTPS,
        }
    }

    /// The address, when the host is one and needs no resolver.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Host and port for the resolver.
    pub(super) fn host_and_port(&self) -> (&str, u16) {
        (self.url.host(), self.url.port())
    }

    /// How to set up TLS, if it is used.
    pub(super) fn tls(&self) -> Option<&ClusterTls> {
        self.tls.as_ref()
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.url)
    }
}

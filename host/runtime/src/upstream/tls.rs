//! TLS to upstreams.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::ClusterConfig;

/// Why an `https://` cluster cannot be used.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The system has no list of certificates to trust.
    #[error(
        "cluster `{cluster}` needs certificates to trust, and this system has none: {reason}; install them, or give a file with `tls.ca`"
    )]
    NoSystemRoots {
        /// The cluster's name.
        cluster: String,
        /// What was found instead.
        reason: String,
    },
    /// A certificate cannot be for such a host.
    #[error(
        "host `{host}` of cluster `{cluster}` is no name that a certificate can be for; give one with `tls.server_name`"
    )]
    ServerName {
        /// The cluster's name.
        cluster: String,
        /// The URL's host.
        host: String,
    },
    /// The certificates that were given cannot be used.
    #[error("cluster `{cluster}` cannot use TLS")]
    Unusable {
        /// The cluster's name.
        cluster: String,
        /// What is wrong.
        #[source]
        source: rustls::Error,
    },
}

/// What the system trusts. Read once, when the first cluster needs it.
#[derive(Debug, Default)]
pub struct Trust {
    system: OnceLock<Result<Arc<RootCertStore>, String>>,
}

impl Trust {
    fn system(&self, cluster: &str) -> Result<Arc<RootCertStore>, TlsError> {
        self.system
            .get_or_init(load_system)
            .clone()
            .map_err(|reason| TlsError::NoSystemRoots {
                cluster: cluster.to_owned(),
                reason,
            })
    }
}

fn load_system() -> Result<Arc<RootCertStore>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (_, ignored) = roots.add_parsable_certificates(found.certs);
    if ignored > 0 {
        tracing::debug!(ignored, "certificates of the system that cannot be used");
    }
    if roots.is_empty() {
        let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(match reasons.as_slice() {
            [] => "no certificates found".to_owned(),
            reasons => reasons.join(", "),
        });
    }
    Ok(Arc::new(roots))
}

/// How TLS connections of a cluster are set up.
pub(super) struct ClusterTls {
    /// Offers HTTP/2 and HTTP/1.1.
    any: TlsConnector,
    /// Offers HTTP/1.1, for a server that is known to prefer it.
    http1: TlsConnector,
    server_name: ServerName<'static>,
}

/// What the two ends of a TLS connection have agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Negotiated {
    Http1,
    Http2,
}

/// What a client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    Any,
    Http1,
}

const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

impl ClusterTls {
    pub(super) fn new(config: &ClusterConfig, trust: &Trust) -> Result<Self, TlsError> {
        let unusable = |source| TlsError::Unusable {
            cluster: config.name.clone(),
            source,
        };
        let roots = match &config.tls.ca {
            None => trust.system(&config.name)?,
            Some(certificates) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates.iter() {
                    roots.add(certificate.clone()).map_err(unusable)?;
                }
                Arc::new(roots)
            }
        };
        let server_name = match &config.tls.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(config.url.host().to_owned()).map_err(|_| {
                TlsError::ServerName {
                    cluster: config.name.clone(),
                    host: config.url.host().to_owned(),
                }
            })?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut http1 = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        http1.alpn_protocols = vec![HTTP1.to_vec()];
        let mut any = http1.clone();
        any.alpn_protocols = vec![H2.to_vec(), HTTP1.to_vec()];
        Ok(Self {
            any: TlsConnector::from(Arc::new(any)),
            http1: TlsConnector::from(Arc::new(http1)),
            server_name,
        })
    }

    /// Sets TLS up on a new connection. A server that does not take part in the negotiation speaks HTTP/1.1.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        offer: Offer,
    ) -> std::io::Result<(TlsStream<TcpStream>, Negotiated)> {
        let connector = match offer {
            Offer::Any => &self.any,
            Offer::Http1 => &self.http1,
        };
        let stream = connector.connect(self.server_name.clone(), stream).await?;
        let negotiated = match stream.get_ref().1.alpn_protocol() {
            Some(H2) => Negotiated::Http2,
            Some(_) | None => Negotiated::Http1,
        };
        Ok((stream, negotiated))
    }
}

impl fmt::Debug for ClusterTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterTls")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

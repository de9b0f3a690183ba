//! What is known of an upstream before any connection to it exists.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use thiserror::Error;

/// The protocol spoken to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamProtocol {
    /// HTTP/1.1 over TCP, one request at a time on a connection: `http://`.
    Http1,
    /// HTTP/2 over TCP with prior knowledge, all requests on one connection: `h2c://`.
    H2c,
}

impl UpstreamProtocol {
    /// The scheme of a cluster's address that selects this protocol.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Http1 => "http",
            Self::H2c => "h2c",
        }
    }
}

/// Why an address does not describe a [`Cluster`].
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The text is no URI.
    #[error(
        "address `{address}` of cluster `{cluster}` is not a URI; write `http://host:port` or `h2c://host:port`"
    )]
    NotAUri {
        /// The cluster's name.
        cluster: String,
        /// The address as it was given.
        address: String,
        /// What the URI parser says.
        source: http::uri::InvalidUri,
    },
    /// The scheme is missing or unknown.
    #[error(
        "address `{address}` of cluster `{cluster}` has no scheme; write `http://host:port` or `h2c://host:port`"
    )]
    NoScheme {
        /// The cluster's name.
        cluster: String,
        /// The address as it was given.
        address: String,
    },
    /// The scheme names a protocol that is not spoken to upstreams.
    #[error(
        "scheme `{scheme}` of cluster `{cluster}` is not supported; supported: `http` (HTTP/1.1), `h2c` (HTTP/2 without TLS)"
    )]
    UnsupportedScheme {
        /// The cluster's name.
        cluster: String,
        /// The scheme as it was given.
        scheme: String,
    },
    /// Something other than host and port follows the scheme.
    #[error(
        "address `{address}` of cluster `{cluster}` has more than a host and a port; remove `{extra}`"
    )]
    NotOnlyAuthority {
        /// The cluster's name.
        cluster: String,
        /// The address as it was given.
        address: String,
        /// The part that does not belong there.
        extra: String,
    },
    /// The port is not a number from 1 to 65535.
    #[error(
        "address `{address}` of cluster `{cluster}` has no usable port; write a number from 1 to 65535"
    )]
    BadPort {
        /// The cluster's name.
        cluster: String,
        /// The address as it was given.
        address: String,
    },
}

/// An upstream: a name for configuration and plugins, a protocol and an address.
///
/// Immutable, shared by all workers. Connections belong to the [`UpstreamClient`](super::UpstreamClient) of each
/// worker; a cluster that is replaced, even by an equal one, gets new connections.
#[derive(Debug)]
pub struct Cluster {
    name: String,
    protocol: UpstreamProtocol,
    authority: Authority,
    /// The host as the resolver wants it: IPv6 addresses without brackets.
    host: String,
    port: u16,
    address: Option<SocketAddr>,
}

/// The port when an address names none, by both supported schemes.
const DEFAULT_PORT: u16 = 80;

impl Cluster {
    /// Makes a cluster of an address such as `http://127.0.0.1:8080` or `h2c://service.internal:50051`.
    ///
    /// The port is 80 when absent; a single `/` may follow. Host names are resolved when a connection is made.
    ///
    /// # Errors
    ///
    /// Returns an error for anything but a supported scheme, a host and a port.
    ///
    /// ```
    /// use proxy_wasi_runtime::upstream::{Cluster, UpstreamProtocol};
    ///
    /// let cluster = Cluster::parse("auth", "h2c://localhost:9000")?;
    /// assert_eq!(cluster.protocol(), UpstreamProtocol::H2c);
    /// assert_eq!(cluster.authority().as_str(), "localhost:9000");
    /// # Ok::<(), proxy_wasi_runtime::upstream::ClusterError>(())
    /// ```
    pub fn parse(name: &str, address: &str) -> Result<Self, ClusterError> {
        let cluster = || name.to_owned();
        let uri: Uri = address.parse().map_err(|source| ClusterError::NotAUri {
            cluster: cluster(),
            address: address.to_owned(),
            source,
        })?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(ClusterError::NoScheme {
                cluster: cluster(),
                address: address.to_owned(),
            });
        };
        let protocol = [UpstreamProtocol::Http1, UpstreamProtocol::H2c]
            .into_iter()
            .find(|protocol| protocol.scheme() == scheme.as_str())
            .ok_or_else(|| ClusterError::UnsupportedScheme {
                cluster: cluster(),
                scheme: scheme.to_string(),
            })?;
        let user = authority
            .as_str()
            .split_once('@')
            .map(|(user, _)| format!("{user}@"));
        let path = uri
            .path_and_query()
            .map(PathAndQuery::as_str)
            .filter(|path| *path != "/");
        if let Some(extra) = user.or_else(|| path.map(str::to_owned)) {
            return Err(ClusterError::NotOnlyAuthority {
                cluster: cluster(),
                address: address.to_owned(),
                extra,
            });
        }
        // `Authority::port` takes a port that is out of range for none.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") | None => Some(DEFAULT_PORT),
            Some(port) => port
                .trim_start_matches(':')
                .parse()
                .ok()
                .filter(|port| *port != 0),
        };
        let port = port.ok_or_else(|| ClusterError::BadPort {
            cluster: cluster(),
            address: address.to_owned(),
        })?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let address = host
            .parse::<IpAddr>()
            .ok()
            .map(|ip| SocketAddr::new(ip, port));
        Ok(Self {
            name: cluster(),
            protocol,
            authority: authority.clone(),
            host,
            port,
            address,
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
        self.protocol
    }

    /// Host and port as configured, fit for a `host` field.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The scheme of request targets, whatever the protocol.
    #[must_use]
    pub fn request_scheme(&self) -> Scheme {
        match self.protocol {
            UpstreamProtocol::Http1 | UpstreamProtocol::H2c => Scheme::HTTP,
        }
    }

    /// The address, when the host is one and needs no resolver.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Host and port for the resolver.
    pub(super) fn host_and_port(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}://{})",
            self.name,
            self.protocol.scheme(),
            self.authority
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_addresses() {
        let table = [
            (
                "http://127.0.0.1:8080",
                UpstreamProtocol::Http1,
                "127.0.0.1",
                8080,
                true,
            ),
            (
                "http://example.test",
                UpstreamProtocol::Http1,
                "example.test",
                80,
                false,
            ),
            (
                "HTTP://example.test/",
                UpstreamProtocol::Http1,
                "example.test",
                80,
                false,
            ),
            ("h2c://[::1]:9000", UpstreamProtocol::H2c, "::1", 9000, true),
        ];
        for (address, protocol, host, port, literal) in table {
            let cluster = Cluster::parse("c", address).unwrap();
            assert_eq!(cluster.protocol(), protocol, "{address}");
            assert_eq!(cluster.host_and_port(), (host, port), "{address}");
            assert_eq!(cluster.address().is_some(), literal, "{address}");
        }
    }

    #[test]
    fn refuses_addresses_with_the_way_out() {
        let table = [
            ("127.0.0.1:8080", "has no scheme"),
            ("/path", "has no scheme"),
            (
                "https://example.test",
                "scheme `https` of cluster `c` is not supported",
            ),
            (
                "grpc://example.test",
                "scheme `grpc` of cluster `c` is not supported",
            ),
            ("http://example.test/path", "remove `/path`"),
            ("http://example.test/?q", "remove `/?q`"),
            ("http://user@example.test", "remove `user@`"),
            ("http://example.test:0", "has no usable port"),
            ("http://example.test:70000", "has no usable port"),
            ("http://[::1]:", "has no usable port"),
            ("http://exa mple", "is not a URI"),
        ];
        for (address, part) in table {
            let error = Cluster::parse("c", address).unwrap_err().to_string();
            assert!(error.contains(part), "{address}: {error}");
        }
    }
}

//! The URL of an upstream.

use std::fmt;

use http::Uri;
use http::uri::Authority;

use super::Problem;
use super::authority::{self, Port};

/// How the proxy talks to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamProtocol {
    /// HTTP/1.1 over TCP; `http://`.
    Http1,
    /// HTTP/2 over TCP with prior knowledge; `h2c://`.
    H2c,
    /// HTTP/2 or HTTP/1.1 over TLS, whichever the server prefers; `https://`.
    Https,
}

impl UpstreamProtocol {
    /// The scheme of a URL that selects this protocol.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Http1 => "http",
            Self::H2c => "h2c",
            Self::Https => "https",
        }
    }

    /// The port of a URL that names none.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http1 | Self::H2c => 80,
            Self::Https => 443,
        }
    }
}

/// Where requests are sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamUrl {
    protocol: UpstreamProtocol,
    authority: Authority,
    port: u16,
}

impl UpstreamUrl {
    /// Reads `http://HOST[:PORT]`, `https://HOST[:PORT]` or `h2c://HOST[:PORT]`.
    ///
    /// # Errors
    ///
    /// [`Problem::Upstream`] for anything else, and for a path, query or user information.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let problem = |reason| Problem::Upstream {
            text: text.to_owned(),
            reason,
        };
        let form = "give a URL such as `http://127.0.0.1:9000`, `https://example.com` or `h2c://127.0.0.1:9000`";
        let uri: Uri = text.parse().map_err(|_| problem(form))?;
        let protocols = [
            UpstreamProtocol::Http1,
            UpstreamProtocol::H2c,
            UpstreamProtocol::Https,
        ];
        let protocol = protocols
            .into_iter()
            .find(|protocol| Some(protocol.scheme()) == uri.scheme_str())
            .ok_or_else(|| problem(form))?;
        let authority = uri.authority().ok_or_else(|| problem(form))?;
        if authority.as_str().contains('@') {
            return Err(problem(
                "user and password are not supported; leave out what is before `@`",
            ));
        }
        if text.contains(['?', '#']) || !matches!(uri.path(), "" | "/") {
            return Err(problem(
                "a path or query is not supported; end the URL after the port",
            ));
        }
        let port = match authority::port(authority) {
            Port::Absent => protocol.default_port(),
            Port::Given(port) => port,
            Port::Invalid => return Err(problem("its port is not from 1 to 65535")),
        };
        if !authority::is_host(authority.host()) {
            return Err(problem(form));
        }
        Ok(Self {
            protocol,
            authority: authority.clone(),
            port,
        })
    }

    /// How to talk to it.
    pub fn protocol(&self) -> UpstreamProtocol {
        self.protocol
    }

    /// What it is called, as in a `host` field: the host, and the port if one was given.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The name or address to connect to; IPv6 addresses without brackets.
    pub fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
    }

    /// The port to connect to; 80, or 443 for `https://`, if none was given.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol.scheme(), self.authority)
    }
}

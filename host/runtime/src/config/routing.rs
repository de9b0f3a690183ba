//! Clusters and routes: where requests can go, and which goes where.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use rustls::pki_types::{CertificateDer, ServerName};

use super::UpstreamUrl;

/// The name of the cluster that `upstream: URL` stands for.
pub const UPSTREAM_CLUSTER: &str = "upstream";

/// A named upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// What routes, plugins, logs and metrics call it. Unique.
    pub name: String,
    /// Where it is and how to talk to it.
    pub url: UpstreamUrl,
    /// How to know the server, for `https://`.
    pub tls: TlsConfig,
}

impl ClusterConfig {
    /// Makes a cluster of which only the name and the URL are known.
    pub fn new(name: impl Into<String>, url: UpstreamUrl) -> Self {
        Self {
            name: name.into(),
            url,
            tls: TlsConfig::default(),
        }
    }
}

/// How the server of an `https://` cluster is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificates that the server's one must descend from, from a PEM file. Default: what the system trusts.
    pub ca: Option<Arc<[CertificateDer<'static>]>>,
    /// The name that the server's certificate must be for, which is also sent as SNI. Default: the URL's host.
    pub server_name: Option<ServerName<'static>>,
}

/// Requests of one kind, and where they go. The first route that matches counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteConfig {
    /// The property `xds.route_name`. Default: empty.
    pub name: String,
    /// Which requests. Default: all.
    pub matches: RouteMatch,
    /// The name of the cluster; none is the built-in upstream.
    pub cluster: Option<String>,
    /// What is changed on the way.
    pub rewrite: Rewrite,
}

/// What a request must have for a route. What is left out is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteMatch {
    /// The request's authority.
    pub authority: Option<AuthorityMatch>,
    /// The beginning of the path, in whole segments: `/api` is for `/api` and `/api/x`, not for `/apis`. Without the
    /// last slash.
    pub path_prefix: Option<String>,
    /// Header fields.
    pub headers: Vec<HeaderMatch>,
}

impl RouteMatch {
    /// Whether every request matches.
    pub fn is_catch_all(&self) -> bool {
        *self == Self::default()
    }
}

/// An authority, in lower case. With a port it is for that port only, without for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorityMatch {
    /// This one.
    Exact(String),
    /// One that ends like this; it begins with a dot. `*.example.com` in the file.
    Suffix(String),
}

/// A header field that a request must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderMatch {
    /// Its name.
    pub name: HeaderName,
    /// A value that one of its entries must have. Default: any.
    pub value: Option<HeaderValue>,
}

/// What a route changes of a request's target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// What takes the place of the matched prefix. Without the last slash.
    pub path_prefix: Option<String>,
    /// The upstream's `host`. Default: the client's, or the cluster's with `rewrite_host`.
    pub authority: Option<HeaderValue>,
}

//! Clusters and routes: what names what, and files of certificates.

use std::collections::HashSet;

use http::{HeaderName, HeaderValue};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

use super::{not_empty, path, value};
use crate::config::authority;
use crate::config::file::read_file;
use crate::config::{
    AuthorityMatch, ClusterConfig, ClusterSettings, ConfigError, HeaderMatch, HeaderSettings,
    Problem, Rewrite, RouteConfig, RouteMatch, RouteSettings, Setting, Settings, TlsConfig,
    UPSTREAM_CLUSTER, UpstreamProtocol, UpstreamUrl,
};

pub(super) struct Routing {
    pub(super) clusters: Vec<ClusterConfig>,
    pub(super) routes: Vec<RouteConfig>,
}

pub(super) fn resolve(settings: &Settings) -> Result<Routing, ConfigError> {
    let mut clusters = Vec::new();
    let mut names = HashSet::new();
    for given in &settings.clusters {
        let cluster = resolve_cluster(given)?;
        if !names.insert(cluster.name.clone()) {
            return Err(ConfigError::new(
                &given.name.origin,
                Problem::ClusterTaken(cluster.name),
            ));
        }
        clusters.push(cluster);
    }
    if let (Some(upstream), Some(_)) = (&settings.upstream, settings.routes.first()) {
        return Err(ConfigError::new(
            &upstream.origin,
            Problem::UpstreamAndRoutes,
        ));
    }
    if let Some(upstream) = &settings.upstream {
        let cluster = upstream_cluster(upstream, &mut clusters)?;
        let routes = vec![catch_all(Some(cluster))];
        return Ok(Routing { clusters, routes });
    }
    if settings.routes.is_empty() {
        let routes = vec![catch_all(None)];
        return Ok(Routing { clusters, routes });
    }
    let routes = resolve_routes(&settings.routes, &clusters)?;
    Ok(Routing { clusters, routes })
}

fn catch_all(cluster: Option<String>) -> RouteConfig {
    RouteConfig {
        name: String::new(),
        matches: RouteMatch::default(),
        cluster,
        rewrite: Rewrite::default(),
    }
}

fn names(clusters: &[ClusterConfig]) -> Vec<String> {
    clusters
        .iter()
        .map(|cluster| cluster.name.clone())
        .collect()
}

/// The cluster of all requests: one that is named, or a new one for a URL.
fn upstream_cluster(
    upstream: &Setting,
    clusters: &mut Vec<ClusterConfig>,
) -> Result<String, ConfigError> {
    if clusters.iter().any(|cluster| cluster.name == upstream.text) {
        return Ok(upstream.text.clone());
    }
    let problem = |problem| ConfigError::new(&upstream.origin, problem);
    if !upstream.text.contains("://") {
        return Err(problem(Problem::NeitherUrlNorCluster {
            text: upstream.text.clone(),
            known: names(clusters),
        }));
    }
    let url = UpstreamUrl::parse(&upstream.text).map_err(problem)?;
    if clusters
        .iter()
        .any(|cluster| cluster.name == UPSTREAM_CLUSTER)
    {
        return Err(problem(Problem::ClusterTaken(UPSTREAM_CLUSTER.to_owned())));
    }
    check_server_name(&url).map_err(problem)?;
    clusters.push(ClusterConfig::new(UPSTREAM_CLUSTER, url));
    Ok(UPSTREAM_CLUSTER.to_owned())
}

fn resolve_cluster(given: &ClusterSettings) -> Result<ClusterConfig, ConfigError> {
    let name = not_empty(&given.name.text, "a name")
        .and_then(|name| {
            // It stands in log lines and metric labels.
            if name.chars().any(char::is_control) {
                Err(Problem::ClusterName(name))
            } else {
                Ok(name)
            }
        })
        .map_err(|problem| ConfigError::new(&given.name.origin, problem))?;
    let url = UpstreamUrl::parse(&given.url.text)
        .map_err(|problem| ConfigError::new(&given.url.origin, problem))?;
    if url.protocol() != UpstreamProtocol::Https
        && let Some(setting) = given.ca.as_ref().or(given.server_name.as_ref())
    {
        let problem = Problem::TlsWithoutHttps(url.to_string());
        return Err(ConfigError::new(&setting.origin, problem));
    }
    if given.server_name.is_none() {
        check_server_name(&url).map_err(|problem| ConfigError::new(&given.url.origin, problem))?;
    }
    let tls = TlsConfig {
        ca: given
            .ca
            .as_ref()
            .map(certificates)
            .transpose()?
            .map(Into::into),
        server_name: value(&given.server_name, |text| {
            ServerName::try_from(text.to_owned()).map_err(|_| Problem::ServerName(text.to_owned()))
        })?,
    };
    Ok(ClusterConfig { name, url, tls })
}

/// Whether the certificate of an `https://` server can be for the URL's host.
fn check_server_name(url: &UpstreamUrl) -> Result<(), Problem> {
    if url.protocol() == UpstreamProtocol::Https && ServerName::try_from(url.host()).is_err() {
        return Err(Problem::CertificateHost(url.host().to_owned()));
    }
    Ok(())
}

/// Reads the certificates of a PEM file.
fn certificates(setting: &Setting) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let file = path(setting, "the path of a PEM file with certificates")?;
    let problem = |reason: String| {
        ConfigError::new(
            &setting.origin,
            Problem::Certificates {
                file: file.clone(),
                reason,
            },
        )
    };
    let bytes = read_file(&file).map_err(|error| problem(error.to_string()))?;
    let certificates = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| problem(error.to_string()))?;
    if certificates.is_empty() {
        return Err(problem("it holds no certificate".to_owned()));
    }
    // One that cannot be a trust anchor would be left out in silence later.
    let mut roots = rustls::RootCertStore::empty();
    for certificate in &certificates {
        roots
            .add(certificate.clone())
            .map_err(|error| problem(error.to_string()))?;
    }
    Ok(certificates)
}

fn resolve_routes(
    given: &[RouteSettings],
    clusters: &[ClusterConfig],
) -> Result<Vec<RouteConfig>, ConfigError> {
    let mut routes: Vec<RouteConfig> = Vec::with_capacity(given.len());
    for (at, settings) in given.iter().enumerate() {
        if routes
            .last()
            .is_some_and(|route| route.matches.is_catch_all())
        {
            let problem = Problem::RouteNeverReached(at - 1);
            return Err(ConfigError::new(&settings.origin, problem));
        }
        routes.push(resolve_route(settings, clusters)?);
    }
    Ok(routes)
}

fn resolve_route(
    given: &RouteSettings,
    clusters: &[ClusterConfig],
) -> Result<RouteConfig, ConfigError> {
    let name = given
        .name
        .as_ref()
        .map(|setting| setting.text.clone())
        .unwrap_or_default();
    let cluster = &given.cluster.text;
    if !clusters.iter().any(|known| known.name == *cluster) {
        let problem = Problem::UnknownCluster {
            name: cluster.clone(),
            known: names(clusters),
        };
        return Err(ConfigError::new(&given.cluster.origin, problem));
    }
    let path_prefix = value(&given.path_prefix, prefix)?;
    if let (Some(setting), None) = (&given.rewrite_path_prefix, &path_prefix) {
        return Err(ConfigError::new(
            &setting.origin,
            Problem::RewriteWithoutPrefix,
        ));
    }
    Ok(RouteConfig {
        name,
        matches: RouteMatch {
            authority: value(&given.authority, authority_match)?,
            path_prefix: path_prefix.filter(|path| !path.is_empty()),
            headers: given.headers.iter().map(header).collect::<Result<_, _>>()?,
        },
        cluster: Some(cluster.clone()),
        rewrite: Rewrite {
            path_prefix: value(&given.rewrite_path_prefix, prefix)?,
            authority: value(&given.rewrite_authority, |text| {
                authority::parse(text)
                    .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok())
                    .ok_or_else(|| Problem::RewriteAuthority(text.to_owned()))
            })?,
        },
    })
}

/// The prefix without its last slash: `/` matches everything, as nothing does.
fn prefix(text: &str) -> Result<String, Problem> {
    let fits = text.starts_with('/')
        && !text.contains(['?', '#'])
        && http::uri::PathAndQuery::try_from(text).is_ok();
    if fits {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(Problem::PathPrefix(text.to_owned()))
    }
}

fn authority_match(text: &str) -> Result<AuthorityMatch, Problem> {
    let lower = text.to_ascii_lowercase();
    let (rest, suffix) = match lower.strip_prefix("*.") {
        Some(rest) => (rest, true),
        None => (lower.as_str(), false),
    };
    if authority::parse(rest).is_none() {
        return Err(Problem::Authority(text.to_owned()));
    }
    Ok(if suffix {
        AuthorityMatch::Suffix(format!(".{rest}"))
    } else {
        AuthorityMatch::Exact(lower)
    })
}

fn header(given: &HeaderSettings) -> Result<HeaderMatch, ConfigError> {
    let text = &given.name.text;
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| ConfigError::new(&given.name.origin, Problem::HeaderName(text.clone())))?;
    if name == http::header::HOST {
        return Err(ConfigError::new(&given.name.origin, Problem::HostHeader));
    }
    let value = value(&given.value, |text| {
        HeaderValue::from_str(text).map_err(|_| Problem::HeaderValue(text.to_owned()))
    })?;
    Ok(HeaderMatch { name, value })
}

//! Which requests go to which cluster, and what is changed of them on the way.

use std::rc::Rc;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Uri};

use crate::config::{AuthorityMatch, Config, HeaderMatch, Rewrite, RouteConfig, RouteMatch};
use crate::upstream::Cluster;

/// A route of a worker.
#[derive(Debug)]
pub(crate) struct Route {
    config: RouteConfig,
    cluster: Option<Arc<Cluster>>,
    /// For the access log.
    cluster_name: Option<Arc<str>>,
    host: Host,
}

/// What the upstream gets as `host`.
#[derive(Debug)]
enum Host {
    /// What the client sent.
    Kept,
    /// The cluster's own authority.
    Cluster,
    /// This.
    Fixed(HeaderValue),
}

/// The routes of a worker, in order.
#[derive(Debug)]
pub(crate) struct Routes {
    /// The first, if it matches everything: then nothing has to be looked at.
    only: Option<Rc<Route>>,
    routes: Vec<Rc<Route>>,
}

impl Route {
    /// The configured name; may be empty.
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// Where requests go; nothing for the built-in upstream.
    pub(crate) fn cluster(&self) -> Option<&Arc<Cluster>> {
        self.cluster.as_ref()
    }

    /// The cluster's name, for the access log.
    pub(crate) fn cluster_name(&self) -> Option<&Arc<str>> {
        self.cluster_name.as_ref()
    }

    /// Changes a request as the route says.
    pub(crate) fn apply<B>(&self, request: &mut Request<B>) {
        match &self.host {
            Host::Kept => {}
            Host::Cluster => {
                // The client sends the cluster's own authority where there is none.
                request.headers_mut().remove(header::HOST);
            }
            Host::Fixed(host) => {
                request.headers_mut().insert(header::HOST, host.clone());
            }
        }
        let Rewrite {
            path_prefix: Some(new),
            ..
        } = &self.config.rewrite
        else {
            return;
        };
        let old = self.config.matches.path_prefix.as_deref().unwrap_or("");
        let rewritten = request
            .uri()
            .path_and_query()
            .and_then(|path| replace_prefix(path, old, new));
        if let Some(path) = rewritten {
            // A request in absolute form keeps its path only; see `upstream::head`.
            *request.uri_mut() = Uri::from(path);
        }
    }
}

impl Routes {
    /// Makes the routes of a configuration. `clusters` are its clusters.
    pub(crate) fn new(config: &Config, clusters: &[Arc<Cluster>]) -> Self {
        let routes: Vec<_> = config
            .routes
            .iter()
            .map(|route| {
                let cluster = route.cluster.as_ref().and_then(|name| {
                    clusters
                        .iter()
                        .find(|cluster| cluster.name() == name)
                        .cloned()
                });
                Rc::new(Route {
                    host: match &route.rewrite.authority {
                        Some(host) => Host::Fixed(host.clone()),
                        None if config.rewrite_host => Host::Cluster,
                        None => Host::Kept,
                    },
                    cluster_name: cluster.as_ref().map(|cluster| cluster.name().into()),
                    cluster,
                    config: route.clone(),
                })
            })
            .collect();
        Self {
            only: routes
                .first()
                .filter(|route| route.config.matches.is_catch_all())
                .cloned(),
            routes,
        }
    }

    /// The route of a request.
    #[inline]
    pub(crate) fn choose(
        &self,
        headers: &HeaderMap,
        path: Option<&PathAndQuery>,
    ) -> Option<&Rc<Route>> {
        match &self.only {
            Some(route) => Some(route),
            None => self
                .routes
                .iter()
                .find(|route| is_match(&route.config.matches, headers, path)),
        }
    }
}

fn is_match(matches: &RouteMatch, headers: &HeaderMap, path: Option<&PathAndQuery>) -> bool {
    let authority = matches.authority.as_ref().is_none_or(|wanted| {
        headers
            .get(header::HOST)
            .is_some_and(|host| is_authority(wanted, host.as_bytes()))
    });
    authority
        && matches.path_prefix.as_ref().is_none_or(|prefix| {
            path.is_some_and(|path| after_prefix(path.path(), prefix).is_some())
        })
        && matches
            .headers
            .iter()
            .all(|wanted| has_header(wanted, headers))
}

fn is_authority(wanted: &AuthorityMatch, host: &[u8]) -> bool {
    let (pattern, suffix) = match wanted {
        AuthorityMatch::Exact(pattern) => (pattern.as_bytes(), false),
        AuthorityMatch::Suffix(pattern) => (pattern.as_bytes(), true),
    };
    let fits = |host: &[u8]| {
        if suffix {
            // `*` stands for something.
            host.len() > pattern.len()
                && host
                    .get(host.len() - pattern.len()..)
                    .is_some_and(|end| end.eq_ignore_ascii_case(pattern))
        } else {
            host.eq_ignore_ascii_case(pattern)
        }
    };
    fits(host) || without_port(host).is_some_and(fits)
}

/// The host alone, if a port follows it.
fn without_port(authority: &[u8]) -> Option<&[u8]> {
    let colon = authority.iter().rposition(|byte| *byte == b':')?;
    let (host, port) = authority.split_at(colon);
    let digits = port.get(1..)?;
    digits.iter().all(u8::is_ascii_digit).then_some(host)
}

fn has_header(wanted: &HeaderMatch, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(&wanted.name).iter();
    match &wanted.value {
        None => values.next().is_some(),
        Some(value) => values.any(|other| other == value),
    }
}

/// What follows a prefix, if it is one in whole segments: nothing, or from the next slash on.
fn after_prefix<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Replaces a prefix. None if the path, which a plugin may have changed since, has it no longer.
fn replace_prefix(path: &PathAndQuery, old: &str, new: &str) -> Option<PathAndQuery> {
    let rest = after_prefix(path.path(), old)?;
    let slash = if new.is_empty() && rest.is_empty() {
        "/"
    } else {
        ""
    };
    let query = path.query().map(|query| format!("?{query}"));
    let text = format!("{new}{rest}{slash}{}", query.unwrap_or_default());
    PathAndQuery::try_from(text).ok()
}

#[cfg(test)]
mod tests;

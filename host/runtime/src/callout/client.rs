//! What a worker's callouts share: connections, clusters, limits.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::body::CalloutBody;
use super::target;
use crate::config::{AllowCallouts, ClusterConfig, UpstreamProtocol};
use crate::upstream::{Cluster, TlsError, Trust, UpstreamClient, UpstreamOptions};

/// A callout has a timeout of its own, and a gRPC stream may be silent for as long as it likes. The runtime's timers
/// reach two years.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Places beside the clusters whose connections are kept: a plugin that calls everywhere must not fill the machine.
const MAX_PLACES: usize = 256;

/// What callouts may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CalloutLimits {
    /// Callouts of one VM that are not over.
    pub(crate) outstanding: usize,
    /// Bytes of a response's body, of a gRPC message, and of the gRPC messages of one stream that wait to be sent.
    pub(crate) body: usize,
    /// For a call, if the plugin gives no timeout.
    pub(crate) timeout: Duration,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("no cluster is called `{name}`; {known}{hint}")]
    Name {
        name: String,
        known: String,
        hint: &'static str,
    },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Makes the callouts of a worker. Clones share everything.
#[derive(Clone)]
pub(crate) struct CalloutClient(Rc<Inner>);

struct Inner {
    client: UpstreamClient<CalloutBody>,
    clusters: Arc<[Arc<Cluster>]>,
    trust: Arc<Trust>,
    /// Places that are no configured clusters, the newest at the end.
    places: RefCell<VecDeque<Arc<Cluster>>>,
    limits: CalloutLimits,
}

impl CalloutClient {
    /// # Panics
    ///
    /// Outside of a `LocalSet`.
    pub(crate) fn new(
        clusters: Arc<[Arc<Cluster>]>,
        trust: Arc<Trust>,
        connect_timeout: Duration,
        limits: CalloutLimits,
    ) -> Self {
        let options = UpstreamOptions {
            connect_timeout,
            response_timeout: FOREVER,
            idle_timeout: FOREVER,
            ..UpstreamOptions::default()
        };
        Self(Rc::new(Inner {
            client: UpstreamClient::new(options),
            clusters,
            trust,
            places: RefCell::default(),
            limits,
        }))
    }

    /// Knows no cluster, for tests of other things.
    #[cfg(test)]
    pub(crate) fn to_nowhere() -> Self {
        let limits = CalloutLimits {
            outstanding: 0,
            body: 0,
            timeout: Duration::ZERO,
        };
        Self::new(Arc::new([]), Arc::default(), Duration::ZERO, limits)
    }

    pub(crate) fn limits(&self) -> CalloutLimits {
        self.0.limits
    }

    pub(super) fn upstreams(&self) -> &UpstreamClient<CalloutBody> {
        &self.0.client
    }

    /// Finds a cluster, or the place that a name means. `protocol`: how to talk to that.
    pub(crate) fn cluster(
        &self,
        name: &str,
        protocol: UpstreamProtocol,
        allow: AllowCallouts,
    ) -> Result<Arc<Cluster>, Unknown> {
        let known = self.0.clusters.iter().find(|known| known.name() == name);
        if let Some(cluster) = known {
            return Ok(Arc::clone(cluster));
        }
        let url = target::parse(name, protocol);
        let (AllowCallouts::Any, Some(url)) = (allow, &url) else {
            return Err(self.unknown(name, allow, url.is_some()));
        };
        // What names a place is where it is, not how it was written.
        let name = url.to_string();
        let mut places = self.0.places.borrow_mut();
        if let Some(at) = places.iter().position(|place| place.name() == name)
            && let Some(place) = places.remove(at)
        {
            places.push_back(Arc::clone(&place));
            return Ok(place);
        }
        let config = ClusterConfig::new(name, url.clone());
        let place = Arc::new(Cluster::new(&config, &self.0.trust)?);
        if places.len() >= MAX_PLACES {
            places.pop_front();
        }
        places.push_back(Arc::clone(&place));
        Ok(place)
    }

    fn unknown(&self, name: &str, allow: AllowCallouts, is_place: bool) -> Unknown {
        let names: Vec<_> = self
            .0
            .clusters
            .iter()
            .map(|cluster| format!("`{}`", cluster.name()))
            .collect();
        let known = if names.is_empty() {
            "none is configured: use `--cluster NAME=URL` or `clusters`".to_owned()
        } else {
            format!("known are {}", names.join(", "))
        };
        let hint = match (allow, is_place) {
            (AllowCallouts::Clusters, true) => {
                "; `callouts: {allow: any}` would let the plugin call any `host:port`"
            }
            (AllowCallouts::Clusters, false) => "",
            (AllowCallouts::Any, _) => "; any `host:port` or `outbound|port||host` is allowed too",
        };
        Unknown::Name {
            name: name.to_owned(),
            known,
            hint,
        }
    }
}

impl fmt::Debug for CalloutClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CalloutClient")
            .field("clusters", &self.0.clusters)
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::UpstreamUrl;

    fn with_client(test: impl FnOnce(CalloutClient)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let cluster = |name: &str| {
                let url = UpstreamUrl::parse("http://127.0.0.1:1").unwrap();
                let config = ClusterConfig::new(name, url);
                Arc::new(Cluster::new(&config, &Trust::default()).unwrap())
            };
            let clusters = ["auth", "outbound|1||named"].map(cluster);
            let limits = CalloutLimits {
                outstanding: 1,
                body: 1,
                timeout: FOREVER,
            };
            test(CalloutClient::new(
                clusters.into(),
                Arc::default(),
                FOREVER,
                limits,
            ));
        });
    }

    #[test]
    fn clusters_go_before_places() {
        with_client(|client| {
            for allow in [AllowCallouts::Clusters, AllowCallouts::Any] {
                let cluster = client
                    .cluster("outbound|1||named", UpstreamProtocol::Http1, allow)
                    .unwrap();
                assert_eq!(cluster.name(), "outbound|1||named");
            }
        });
    }

    #[test]
    fn places_are_for_plugins_that_may_call_them() {
        with_client(|client| {
            let place = client
                .cluster("127.0.0.1:2", UpstreamProtocol::Http1, AllowCallouts::Any)
                .unwrap();
            let again = client
                .cluster(
                    "outbound|2||127.0.0.1",
                    UpstreamProtocol::Http1,
                    AllowCallouts::Any,
                )
                .unwrap();
            assert!(Arc::ptr_eq(&place, &again), "connections are shared");
            let refused = client
                .cluster(
                    "127.0.0.1:2",
                    UpstreamProtocol::Http1,
                    AllowCallouts::Clusters,
                )
                .unwrap_err()
                .to_string();
            assert_eq!(
                refused,
                "no cluster is called `127.0.0.1:2`; known are `auth`, `outbound|1||named`; \
                 `callouts: {allow: any}` would let the plugin call any `host:port`"
            );
            assert!(
                client
                    .cluster("nobody", UpstreamProtocol::Http1, AllowCallouts::Any)
                    .is_err()
            );
        });
    }

    #[test]
    fn places_are_bounded() {
        with_client(|client| {
            for port in 1..=MAX_PLACES + 10 {
                client
                    .cluster(
                        &format!("a:{port}"),
                        UpstreamProtocol::Http1,
                        AllowCallouts::Any,
                    )
                    .unwrap();
            }
            assert_eq!(client.0.places.borrow().len(), MAX_PLACES);
        });
    }
}

//! The admin endpoint of a running proxy, if it has one.

use std::net::SocketAddr;
use std::sync::Arc;

use super::RunError;
use super::plugins::Plugins;
use crate::admin::{AdminServer, Phase, Readiness, Subject};
use crate::metrics::{HostMetrics, WorkerMetrics};
use crate::server;
use crate::state::State;

/// Nothing if no address is configured: then nothing is measured either.
pub(super) struct Admin(Option<Running>);

struct Running {
    server: AdminServer,
    metrics: Arc<HostMetrics>,
    readiness: Arc<Readiness>,
}

impl Admin {
    pub(super) fn start(
        address: Option<SocketAddr>,
        plugins: &Plugins,
        state: &State,
    ) -> Result<Self, RunError> {
        let Some(address) = address else {
            return Ok(Self(None));
        };
        let metrics = Arc::<HostMetrics>::default();
        for plugin in plugins.infos() {
            metrics.add_plugin(plugin);
        }
        let readiness = Arc::<Readiness>::default();
        let subject = Subject {
            metrics: Arc::clone(&metrics),
            state: state.clone(),
            readiness: Arc::clone(&readiness),
        };
        let server = server::bind(address, false)
            .and_then(|listener| AdminServer::start(listener, subject))
            .map_err(|source| RunError::Admin { address, source })?;
        Ok(Self(Some(Running {
            server,
            metrics,
            readiness,
        })))
    }

    pub(super) fn set(&self, phase: Phase) {
        if let Some(running) = &self.0 {
            running.readiness.set(phase);
        }
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.0.as_ref().map(|running| running.server.address())
    }

    /// What a worker counts in, if anybody can ask for it.
    pub(super) fn add_worker(&self) -> Option<Arc<WorkerMetrics>> {
        self.0.as_ref().map(|running| running.metrics.add_worker())
    }
}

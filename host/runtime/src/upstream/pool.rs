//! The connections of one worker to one cluster.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use tokio::time::Instant;

use super::client::UpstreamOptions;
use super::cluster::Cluster;
use super::error::{UpstreamError, UpstreamErrorKind};
use super::h1::H1Connection;
use super::h2::H2Connections;

/// What a worker keeps for one cluster.
pub(super) struct Pool<B> {
    pub(super) cluster: Arc<Cluster>,
    pub(super) name: Rc<str>,
    pub(super) options: Rc<UpstreamOptions>,
    /// HTTP/1 connections without a request, the one used last at the end.
    idle: RefCell<Vec<H1Connection<B>>>,
    /// Connections, idle or not.
    open: Rc<Cell<usize>>,
    pub(super) h2: H2Connections<B>,
    /// Over TLS: the server has chosen HTTP/1.1 when it had the choice.
    pub(super) prefers_http1: Cell<bool>,
}

/// Counts a connection for as long as it lives.
#[derive(Debug)]
pub(super) struct OpenGuard(Rc<Cell<usize>>);

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl<B> Pool<B> {
    pub(super) fn new(cluster: Arc<Cluster>, options: Rc<UpstreamOptions>) -> Self {
        Self {
            name: cluster.name().into(),
            cluster,
            options,
            idle: RefCell::default(),
            open: Rc::default(),
            h2: H2Connections::default(),
            prefers_http1: Cell::new(false),
        }
    }

    /// Takes the connection that was used last, if it is still good: the others age until they are closed.
    pub(super) fn take_idle(&self) -> Option<H1Connection<B>> {
        loop {
            let connection = self.idle.borrow_mut().pop()?;
            if connection.is_ready() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request, or closes it when enough are kept.
    pub(super) fn put_idle(&self, mut connection: H1Connection<B>) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < self.options.max_idle_per_cluster {
            connection.idle_since = Instant::now();
            idle.push(connection);
        }
    }

    /// Counts a connection that is about to be made.
    pub(super) fn reserve(&self) -> Result<OpenGuard, UpstreamError> {
        if self.open.get() >= self.options.max_connections_per_cluster {
            return Err(UpstreamError::new(
                UpstreamErrorKind::Overloaded,
                &self.name,
                None,
            ));
        }
        self.open.set(self.open.get() + 1);
        Ok(OpenGuard(Rc::clone(&self.open)))
    }

    /// Closes the connections that were idle for too long, or that the upstream has closed.
    pub(super) fn sweep(&self, now: Instant) {
        let timeout = self.options.pool_idle_timeout;
        self.idle
            .borrow_mut()
            .retain(|connection| connection.is_ready() && connection.idle_since + timeout > now);
        self.h2.sweep(now, timeout);
        if self.open.get() == 0 {
            // Whoever comes next asks again: the server may have learned HTTP/2 meanwhile.
            self.prefers_http1.set(false);
        }
    }

    /// True when no configuration refers to the cluster any more.
    pub(super) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.cluster) == 1
    }
}

impl<B> fmt::Debug for Pool<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("cluster", &self.cluster)
            .field("idle", &self.idle.borrow().len())
            .field("open", &self.open.get())
            .finish_non_exhaustive()
    }
}

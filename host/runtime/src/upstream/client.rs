//! Sends requests to clusters, over connections that one worker keeps.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::time::Instant;

use super::body::{Progress, ProgressState, RequestBody, UpstreamBody};
use super::cluster::Cluster;
use super::error::{UpstreamError, UpstreamErrorKind};
use super::pool::Pool;
use super::tls::Negotiated;
use super::{h1, h2, head};
use crate::BoxError;
use crate::clock::{LazySleep, sweep_interval};
use crate::config::{Timeouts, UpstreamProtocol};

/// Below the 60 s and more after which proxies and servers of files close. Many application servers close after 2 to 5 s
/// (Apache, gunicorn, Node.js, uvicorn): what meets such a close is sent again if it is safe, see [`RETRY_AFTER_IDLE`].
pub const DEFAULT_POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// Connections. What is idle now was busy within the last idle timeout; more than this is a burst not worth keeping.
pub const DEFAULT_MAX_IDLE_PER_CLUSTER: usize = 256;
/// Connections of a worker to one cluster. Two workers stay below the 28,000 local ports that Linux hands out.
pub const DEFAULT_MAX_CONNECTIONS_PER_CLUSTER: usize = 8192;
/// How long a connection must have been idle for its server to be suspected of having closed it for that. A safe request
/// without a body that goes there is sent once more if the connection ends before the response. It has to be kept for
/// that, which requests of a busy proxy are spared.
pub const RETRY_AFTER_IDLE: Duration = Duration::from_secs(1);
/// Bytes of a response head. Envoy's default (60 KiB), so that what passes there passes here.
pub const DEFAULT_MAX_HEAD_BYTES: usize = 60 * 1024;
/// How long a connection may take to finish writing a request whose response is complete before it is closed.
pub const DEFAULT_RELEASE_TIMEOUT: Duration = Duration::from_secs(1);

/// Limits of an [`UpstreamClient`]. The defaults are those of a configuration, see [`new`](Self::new).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamOptions {
    /// For name resolution, TCP and TLS handshake together.
    pub connect_timeout: Duration,
    /// From the end of the request to the response head.
    pub response_timeout: Duration,
    /// Between two parts of the request body, while no response has come, and of the response body.
    pub idle_timeout: Duration,
    /// For a connection without requests.
    pub pool_idle_timeout: Duration,
    /// Idle connections kept, per cluster and worker.
    pub max_idle_per_cluster: usize,
    /// Connections, per cluster and worker; a request that would need one more fails.
    pub max_connections_per_cluster: usize,
    /// Bytes of a response head; a longer one breaks the protocol.
    pub max_head_bytes: usize,
    /// For the rest of a request after its response.
    pub release_timeout: Duration,
}

impl Default for UpstreamOptions {
    fn default() -> Self {
        Self::new(&Timeouts::default())
    }
}

impl UpstreamOptions {
    /// What a configuration says, and the `DEFAULT_` constants of this module for what it does not.
    #[must_use]
    pub fn new(timeouts: &Timeouts) -> Self {
        Self {
            connect_timeout: timeouts.connect,
            response_timeout: timeouts.response,
            idle_timeout: timeouts.idle,
            pool_idle_timeout: DEFAULT_POOL_IDLE_TIMEOUT,
            max_idle_per_cluster: DEFAULT_MAX_IDLE_PER_CLUSTER,
            max_connections_per_cluster: DEFAULT_MAX_CONNECTIONS_PER_CLUSTER,
            max_head_bytes: DEFAULT_MAX_HEAD_BYTES,
            release_timeout: DEFAULT_RELEASE_TIMEOUT,
        }
    }
}

/// The upstream side of one worker: sends requests, keeps and reuses connections.
///
/// Cheap to clone; clones share the connections. Not `Send`: each worker makes its own. `B` is the type of the request
/// bodies. Must be used inside of a `LocalSet`, where its connections run.
pub struct UpstreamClient<B> {
    inner: Rc<Inner<B>>,
}

struct Inner<B> {
    options: Rc<UpstreamOptions>,
    /// Searched by identity; a worker knows a handful.
    pools: RefCell<Vec<Rc<Pool<B>>>>,
}

impl<B> UpstreamClient<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    /// Creates a client without connections.
    ///
    /// # Panics
    ///
    /// Panics outside of a `LocalSet`.
    #[must_use]
    pub fn new(options: UpstreamOptions) -> Self {
        let interval = sweep_interval(&[options.pool_idle_timeout]);
        let inner = Rc::new(Inner {
            options: Rc::new(options),
            pools: RefCell::default(),
        });
        tokio::task::spawn_local(sweep(Rc::downgrade(&inner), interval));
        Self { inner }
    }

    /// Sends `request` to `cluster` and waits for the response head.
    ///
    /// The head may come as a downstream sent it, see [`head`]: target and framing are made to fit the
    /// cluster's protocol. A request is sent a second time if nothing of it was sent the first time, as happens when a
    /// pooled connection turns out to be closed; a GET, HEAD or OPTIONS without a body also if an HTTP/1.1 connection
    /// that was idle for [`RETRY_AFTER_IDLE`] ends before the response (RFC 9110, 9.2.2). Interim (1xx) responses are
    /// left out.
    ///
    /// Dropping the future, or the response body before its end, abandons the exchange: the connection (HTTP/1) is
    /// closed or the stream (HTTP/2) reset.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no response head; [`UpstreamError::status`] suits a downstream. Errors after the
    /// head are errors of the body.
    pub async fn send(
        &self,
        cluster: &Arc<Cluster>,
        request: Request<B>,
    ) -> Result<Response<UpstreamBody<B>>, UpstreamError> {
        let pool = self.pool(cluster);
        let version = Self::version(&pool).await?;
        Self::send_as(version, &pool, request).await
    }

    /// As [`send`](Self::send), in HTTP/2 or not at all.
    ///
    /// # Errors
    ///
    /// As there, and [`UpstreamErrorKind::NoHttp2`].
    pub async fn send_http2(
        &self,
        cluster: &Arc<Cluster>,
        request: Request<B>,
    ) -> Result<Response<UpstreamBody<B>>, UpstreamError> {
        let pool = self.pool(cluster);
        let version = Self::version(&pool).await?;
        match version {
            Negotiated::Http2 => Self::send_as(version, &pool, request).await,
            Negotiated::Http1 => Err(UpstreamError::new(
                UpstreamErrorKind::NoHttp2,
                cluster.name(),
                None,
            )),
        }
    }

    /// What the cluster's server speaks.
    async fn version(pool: &Rc<Pool<B>>) -> Result<Negotiated, UpstreamError> {
        match pool.cluster.protocol() {
            UpstreamProtocol::Http1 => Ok(Negotiated::Http1),
            UpstreamProtocol::H2c => Ok(Negotiated::Http2),
            UpstreamProtocol::Https => Box::pin(h2::negotiate(pool)).await,
        }
    }

    async fn send_as(
        version: Negotiated,
        pool: &Rc<Pool<B>>,
        request: Request<B>,
    ) -> Result<Response<UpstreamBody<B>>, UpstreamError> {
        let (mut parts, body) = request.into_parts();
        let prepared = match version {
            Negotiated::Http1 => head::prepare_http1(&mut parts, &body, &pool.cluster),
            Negotiated::Http2 => head::prepare_http2(&mut parts, &body, &pool.cluster),
        };
        prepared.map_err(|error| {
            UpstreamError::new(UpstreamErrorKind::Request, &pool.name, Some(error.into()))
        })?;
        let request = Request::from_parts(parts, RequestBody::new(body));
        match version {
            Negotiated::Http1 => h1::send(pool, request).await,
            // Boxed, as it would be the larger half of this future.
            Negotiated::Http2 => Box::pin(h2::send(pool, request)).await,
        }
    }

    fn pool(&self, cluster: &Arc<Cluster>) -> Rc<Pool<B>> {
        let mut pools = self.inner.pools.borrow_mut();
        if let Some(pool) = pools
            .iter()
            .find(|pool| Arc::ptr_eq(&pool.cluster, cluster))
        {
            return Rc::clone(pool);
        }
        let pool = Rc::new(Pool::new(
            Arc::clone(cluster),
            Rc::clone(&self.inner.options),
        ));
        pools.push(Rc::clone(&pool));
        pool
    }
}

/// Closes what is idle for too long, until the client is gone.
async fn sweep<B>(client: Weak<Inner<B>>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let Some(client) = client.upgrade() else {
            return;
        };
        let now = Instant::now();
        client.pools.borrow_mut().retain(|pool| {
            pool.sweep(now);
            !pool.is_abandoned()
        });
    }
}

impl<B> Clone for UpstreamClient<B> {
    fn clone(&self) -> Self {
        Self {
            inner: Rc::clone(&self.inner),
        }
    }
}

impl<B> fmt::Debug for UpstreamClient<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamClient")
            .field("options", &self.inner.options)
            .field("pools", &self.inner.pools.borrow())
            .finish()
    }
}

/// Until when the response head must have come, given how far the request is.
pub(super) struct Deadline {
    progress: Option<Rc<Progress>>,
    started: Instant,
    response_timeout: Duration,
    idle_timeout: Duration,
    timer: LazySleep,
}

impl Deadline {
    /// Starts now, with a timer of an earlier exchange if there is one.
    pub(super) fn new(
        options: &UpstreamOptions,
        progress: Option<Rc<Progress>>,
        timer: Option<LazySleep>,
    ) -> Self {
        let started = Instant::now();
        Self {
            progress,
            started,
            response_timeout: options.response_timeout,
            idle_timeout: options.idle_timeout,
            timer: timer.unwrap_or_else(|| LazySleep::new(started + options.response_timeout)),
        }
    }

    /// Ready with the reason once the time is over.
    pub(super) fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<UpstreamErrorKind> {
        let (deadline, kind) = match &self.progress {
            None => (
                self.started + self.response_timeout,
                UpstreamErrorKind::ResponseTimeout,
            ),
            Some(progress) => match progress.state() {
                ProgressState::Sending | ProgressState::Failed => (
                    progress.moved_at() + self.idle_timeout,
                    UpstreamErrorKind::IdleTimeout,
                ),
                ProgressState::Waiting => (
                    progress.moved_at() + self.idle_timeout,
                    UpstreamErrorKind::RequestTimeout,
                ),
                ProgressState::Done => (
                    progress.moved_at() + self.response_timeout,
                    UpstreamErrorKind::ResponseTimeout,
                ),
            },
        };
        self.timer.set(deadline);
        self.timer.poll_elapsed(cx).map(|()| kind)
    }

    /// Says what a failed exchange failed of.
    pub(super) fn explain(&self, cluster: &str, error: hyper::Error) -> UpstreamError {
        let failed = |progress: &Rc<Progress>| progress.state() == ProgressState::Failed;
        if self.progress.as_ref().is_some_and(failed) {
            UpstreamError::new(UpstreamErrorKind::RequestBody, cluster, Some(error.into()))
        } else {
            UpstreamError::from_hyper(cluster, error)
        }
    }

    /// When the exchange began: when its request was handed over.
    pub(super) fn started(&self) -> std::time::Instant {
        self.started.into_std()
    }

    /// The timer, for the next exchange.
    pub(super) fn into_timer(self) -> Option<LazySleep> {
        Some(self.timer)
    }
}

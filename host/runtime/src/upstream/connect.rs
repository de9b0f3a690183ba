//! Opens connections to a cluster: TCP, then TLS if the cluster wants it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::cluster::Cluster;
use super::error::{UpstreamError, UpstreamErrorKind};
use super::io::UpstreamIo;
use super::tls::{Negotiated, Offer};

/// Connects to the first address of `cluster` that answers, names being resolved anew each time. What was negotiated is
/// known of TLS only.
///
/// Dropping the future abandons the attempt.
pub(super) async fn connect(
    cluster: &Cluster,
    offer: Offer,
    timeout: Duration,
) -> Result<(UpstreamIo, Option<Negotiated>), UpstreamError> {
    let deadline = Instant::now() + timeout;
    let connected = async {
        let stream = connect_any(cluster, deadline).await?;
        let Some(tls) = cluster.tls() else {
            return Ok((UpstreamIo::Plain(stream), None));
        };
        let (stream, negotiated) = tls
            .connect(stream, offer)
            .await
            .map_err(|error| (UpstreamErrorKind::Tls, error))?;
        Ok((UpstreamIo::Tls(Box::new(stream)), Some(negotiated)))
    };
    match timeout_at(deadline, connected).await {
        Ok(result) => result
            .map_err(|(kind, error)| UpstreamError::new(kind, cluster.name(), Some(error.into()))),
        Err(_elapsed) => Err(UpstreamError::new(
            UpstreamErrorKind::ConnectTimeout,
            cluster.name(),
            None,
        )),
    }
}

type Failure = (UpstreamErrorKind, io::Error);

async fn connect_any(cluster: &Cluster, deadline: Instant) -> Result<TcpStream, Failure> {
    if let Some(address) = cluster.address() {
        return connect_one(address).await;
    }
    let mut addresses: VecDeque<SocketAddr> = tokio::net::lookup_host(cluster.host_and_port())
        .await
        .map_err(|error| (UpstreamErrorKind::Resolve, error))?
        .collect();
    let mut last = (
        UpstreamErrorKind::Resolve,
        io::Error::new(io::ErrorKind::NotFound, "the name has no addresses"),
    );
    while let Some(address) = addresses.pop_front() {
        // An address that swallows packets must leave time for the others.
        let shares = u32::try_from(addresses.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let share = deadline.saturating_duration_since(Instant::now()) / shares;
        last = match tokio::time::timeout(share, connect_one(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(failure)) => failure,
            Err(elapsed) => (UpstreamErrorKind::ConnectTimeout, elapsed.into()),
        };
    }
    Err(last)
}

async fn connect_one(address: SocketAddr) -> Result<TcpStream, Failure> {
    let failure = |error| (UpstreamErrorKind::Connect, error);
    let stream = TcpStream::connect(address).await.map_err(failure)?;
    // Heads and the ends of bodies are small writes that the peer waits for.
    stream.set_nodelay(true).map_err(failure)?;
    Ok(stream)
}

//! Opens TCP connections to a cluster.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::cluster::Cluster;
use super::error::{UpstreamError, UpstreamErrorKind};

/// Connects to the first address of `cluster` that answers, names being resolved anew each time.
///
/// Dropping the future abandons the attempt.
pub(super) async fn connect(
    cluster: &Cluster,
    timeout: Duration,
) -> Result<TcpStream, UpstreamError> {
    match tokio::time::timeout(timeout, connect_any(cluster)).await {
        Ok(result) => result
            .map_err(|(kind, error)| UpstreamError::new(kind, cluster.name(), Some(error.into()))),
        Err(_elapsed) => Err(UpstreamError::new(
            UpstreamErrorKind::ConnectTimeout,
            cluster.name(),
            None,
        )),
    }
}

async fn connect_any(cluster: &Cluster) -> Result<TcpStream, (UpstreamErrorKind, io::Error)> {
    if let Some(address) = cluster.address() {
        return connect_one(address)
            .await
            .map_err(|error| (UpstreamErrorKind::Connect, error));
    }
    let addresses = tokio::net::lookup_host(cluster.host_and_port())
        .await
        .map_err(|error| (UpstreamErrorKind::Resolve, error))?;
    let mut last = (
        UpstreamErrorKind::Resolve,
        io::Error::new(io::ErrorKind::NotFound, "the name has no addresses"),
    );
    for address in addresses {
        match connect_one(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = (UpstreamErrorKind::Connect, error),
        }
    }
    Err(last)
}

async fn connect_one(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Heads and the ends of bodies are small writes that the peer waits for.
    stream.set_nodelay(true)?;
    Ok(stream)
}

//! Listening sockets, one per worker.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::options::DEFAULT_BACKLOG;

/// Listens on `address`.
///
/// With `reuse_port`, several workers listen on one address and the kernel spreads connections over them: the first
/// call may name port 0, the others name the address that the first got. Without, the address is taken exclusively.
/// The socket is non-blocking, as tokio wants it.
///
/// # Errors
///
/// Returns the error of the operating system, above all when the address is in use.
pub fn bind(address: SocketAddr, reuse_port: bool) -> io::Result<TcpListener> {
    let socket = bound(address, reuse_port)?;
    socket.set_nonblocking(true)?;
    socket.listen(DEFAULT_BACKLOG)?;
    Ok(socket.into())
}

/// Looks whether [`bind`] can have `address` for itself, without listening: a client would lose its connection. With
/// `reuse_port` alone, another process of the same user would get to share it.
///
/// # Errors
///
/// Returns the error of the operating system, above all when the address is in use.
pub fn probe(address: SocketAddr) -> io::Result<()> {
    bound(address, false).map(drop)
}

fn bound(address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for the old process's connections to time out.
    socket.set_reuse_address(true)?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_share_a_port() {
        let first = bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
        let address = first.local_addr().unwrap();
        let second = bind(address, true).unwrap();
        assert_eq!(second.local_addr().unwrap(), address);
    }

    #[test]
    fn an_address_is_exclusive_otherwise() {
        let first = bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let error = bind(first.local_addr().unwrap(), false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_probe_sees_who_would_share_and_leaves_nothing_behind() {
        let first = bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
        let address = first.local_addr().unwrap();
        let error = probe(address).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        probe(address).unwrap();
        let second = bind(address, true).unwrap();
        assert_eq!(second.local_addr().unwrap(), address);
    }
}

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
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(DEFAULT_BACKLOG)?;
    Ok(socket.into())
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
}

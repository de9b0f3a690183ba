//! `wasi:sockets` that refuses: a plugin reaches the network through callouts only.

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::network::ErrorCode;
use wasmtime_wasi::p2::bindings::sockets::{
    instance_network, ip_name_lookup, network, tcp_create_socket,
};
use wasmtime_wasi::p2::bindings::sync::sockets::{tcp, udp, udp_create_socket};
use wasmtime_wasi::p2::{SocketError, SocketResult, TcpSocket, UdpSocket};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};

use crate::vm::state::VmState;

/// Makes no socket. All other functions need one, and are never reached.
struct NoSockets;

impl HasData for NoSockets {
    type Data<'a> = NoSockets;
}

impl network::Host for NoSockets {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        _: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

impl network::HostNetwork for NoSockets {
    fn drop(&mut self, _: Resource<network::Network>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl tcp_create_socket::Host for NoSockets {
    fn create_tcp_socket(
        &mut self,
        _: network::IpAddressFamily,
    ) -> SocketResult<Resource<TcpSocket>> {
        Err(ErrorCode::NotSupported.into())
    }
}

impl udp_create_socket::Host for NoSockets {
    fn create_udp_socket(
        &mut self,
        _: network::IpAddressFamily,
    ) -> SocketResult<Resource<UdpSocket>> {
        Err(ErrorCode::NotSupported.into())
    }
}

pub(super) fn add_to_linker(l: &mut Linker<VmState>) -> wasmtime::Result<()> {
    tcp_create_socket::add_to_linker::<_, NoSockets>(l, |_| NoSockets)?;
    udp_create_socket::add_to_linker::<_, NoSockets>(l, |_| NoSockets)?;
    instance_network::add_to_linker::<_, WasiSockets>(l, |s| s.wasi.sockets())?;
    network::add_to_linker::<_, WasiSockets>(l, &Default::default(), |s| s.wasi.sockets())?;
    ip_name_lookup::add_to_linker::<_, WasiSockets>(l, |s| s.wasi.sockets())?;
    tcp::add_to_linker::<_, WasiSockets>(l, |s| s.wasi.sockets())?;
    udp::add_to_linker::<_, WasiSockets>(l, |s| s.wasi.sockets())
}

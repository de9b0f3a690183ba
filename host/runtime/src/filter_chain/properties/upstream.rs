//! `upstream`: where the request went.

use super::tls;
use super::value::{Found, integer, text};
use crate::filter_chain::exchange::Exchange;
use crate::vm::PropertyValue;

pub(super) fn get(exchange: &Exchange, path: &[&str]) -> Found {
    let traffic = &exchange.traffic;
    match path {
        ["request_attempt_count"] => Some(PropertyValue::Unsigned(traffic.attempted().into())),
        _ if !traffic.attempted() => None,
        // The address that the name was resolved to. Before there is a connection it is known only if none was needed.
        ["address"] => Some(text(remote(exchange)?)),
        ["port"] => Some(integer(remote(exchange)?.port())),
        ["local_address"] => Some(text(traffic.upstream()?.local)),
        ["local_port"] => Some(integer(traffic.upstream()?.local.port())),
        ["transport_failure_reason"] => Some(text(
            traffic
                .failure()
                .map_or("", |kind| kind.transport_failure()),
        )),
        // A cluster is one name or address.
        ["num_endpoints"] => exchange.cluster().map(|_| PropertyValue::Unsigned(1)),
        [name] => tls::get(traffic.upstream()?.tls.as_ref()?, name),
        _ => None,
    }
}

fn remote(exchange: &Exchange) -> Option<std::net::SocketAddr> {
    match exchange.traffic.upstream() {
        Some(connection) => Some(connection.peer),
        None => exchange.cluster()?.address(),
    }
}

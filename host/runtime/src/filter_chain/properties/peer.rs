//! `source`, `destination` and `connection`: the downstream side.

use std::net::SocketAddr;

use super::value::{Found, integer, text};
use crate::filter_chain::exchange::Exchange;
use crate::vm::PropertyValue;

pub(super) fn socket(address: SocketAddr, path: &[&str]) -> Found {
    match path {
        ["address"] => Some(text(address)),
        ["port"] => Some(integer(address.port())),
        _ => None,
    }
}

pub(super) fn connection(exchange: &Exchange, path: &[&str]) -> Found {
    match path {
        ["id"] => Some(PropertyValue::Unsigned(exchange.facts.connection.id)),
        // No TLS downstream: nobody has shown a certificate or named a server. Envoy says so in these two; all other
        // properties of TLS are not found.
        ["mtls"] => Some(PropertyValue::Boolean(false)),
        ["requested_server_name"] => Some(text("")),
        _ => None,
    }
}

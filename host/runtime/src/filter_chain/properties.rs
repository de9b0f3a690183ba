//! Properties of a stream (ABI 10): what a reverse proxy knows of Envoy's attributes, and what plugins set.
//!
//! Paths have the names that Envoy's attribute language gives them; those of older versions are answered too. What
//! cannot be known here, or is not there (yet), is not found. Those of the plugin and the node are answered
//! before anybody comes here. Reading a property never counts as relying on a deviation from Envoy.

mod peer;
mod request;
mod response;
mod set;
mod tls;
mod upstream;
mod value;

use proxy_wasi_stream::FilterIndex;

pub(crate) use self::set::SetProperties;
use self::value::{Found, integer, text};
use super::exchange::Exchange;
use crate::vm::{PropertyError, PropertyValue};

/// What plugins set is part of the filter state, under this prefix and their names (ABI 3.2).
const STATE_PREFIX: &str = "wasm.";

/// Looks a property up.
pub(crate) fn get(
    exchange: &Exchange,
    filter: usize,
    path: &[&str],
) -> Result<PropertyValue, PropertyError> {
    match path {
        [] => Err(PropertyError::NotSerializable),
        [name] => of_name(exchange, name),
        _ => of_path(exchange, FilterIndex(filter), path).ok_or(PropertyError::NotFound),
    }
}

/// A path of one element: an old name, a group, or what a plugin has set.
fn of_name(exchange: &Exchange, name: &str) -> Result<PropertyValue, PropertyError> {
    let known = match name {
        // Groups are maps whose keys cannot be listed.
        "request"
        | "response"
        | "source"
        | "destination"
        | "connection"
        | "upstream"
        | "xds"
        | "filter_state"
        | "upstream_filter_state" => return Err(PropertyError::NotSerializable),
        // A message without fields: nothing here makes dynamic metadata.
        "metadata" => Some(PropertyValue::Message(Vec::new())),
        "connection_id" => peer::connection(exchange, &["id"]),
        "cluster_name" | "route_name" | "listener_direction" => xds(exchange, &[name]),
        _ => None,
    };
    known
        .or_else(|| exchange.set_properties().get(name))
        .ok_or(PropertyError::NotFound)
}

fn of_path(exchange: &Exchange, filter: FilterIndex, path: &[&str]) -> Found {
    match path {
        ["request", rest @ ..] => request::get(exchange, filter, rest),
        ["response", rest @ ..] => response::get(exchange, filter, rest),
        ["source", rest @ ..] => peer::socket(exchange.facts.connection.peer, rest),
        ["destination", rest @ ..] => peer::socket(exchange.facts.connection.local, rest),
        ["connection", rest @ ..] => peer::connection(exchange, rest),
        ["upstream", rest @ ..] => upstream::get(exchange, rest),
        ["xds", rest @ ..] => xds(exchange, rest),
        ["filter_state", key] => exchange
            .set_properties()
            .get(key.strip_prefix(STATE_PREFIX)?),
        _ => None,
    }
}

/// What a control plane would have said. There is none, so it is what an Envoy without one says.
fn xds(exchange: &Exchange, path: &[&str]) -> Found {
    match path {
        // The built-in upstream is none.
        ["cluster_name"] => Some(text(exchange.route()?.cluster()?.name())),
        ["route_name"] => Some(text(exchange.route()?.name())),
        ["virtual_host_name"] => exchange.route().map(|_| text("")),
        ["filter_chain_name"] => Some(text("")),
        // Unspecified.
        ["listener_direction"] => Some(integer(0)),
        _ => None,
    }
}

//! The filter chain: plugins in order, and the exchanges that pass them.
//!
//! [`Chain`] is what a worker has configured, [`Exchange`] one request and its response on their way through it. The
//! rules are those of [`proxy_wasi_stream`]; here its effects are carried out: callbacks in VMs, messages to the
//! upstream and downstream.

mod bodies;
mod chain;
mod ending;
mod exchange;
mod handle;
mod properties;
mod routes;
mod traffic;
mod upstream_failure;
mod vm_slot;

pub(crate) use self::chain::{Chain, ChainFilter};
pub(crate) use self::handle::{Worker, handle};
pub(crate) use self::routes::Routes;
pub(crate) use self::vm_slot::{RootSpec, VmSlot};

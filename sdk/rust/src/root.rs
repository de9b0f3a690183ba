//! Root contexts: what a plugin is and does outside of exchanges.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use crate::bindings::exports::proxy_wasm::plugin::lifecycle::PluginInfo;
use crate::bindings::proxy_wasm::plugin::plugin_types::Interest;
use crate::bindings::proxy_wasm::plugin::property::{self, PropertyError, PropertyValue};
use crate::bindings::proxy_wasm::plugin::timer::{self, TimerError};
use crate::bindings::proxy_wasm::plugin::{foreign_function, root_control};
use crate::error::Refused;
use crate::exchange::{Exchange, StreamId, property_refused};

/// A root context: one configured use of a plugin, in one worker's VM.
pub struct Root {
    pub(crate) id: u64,
    name: String,
    root_id: String,
    vm_id: String,
    vm_configuration: Vec<u8>,
    /// Callbacks that the SDK itself needs of every exchange.
    kept_interest: Interest,
    /// The outstanding callouts that were made for an exchange.
    pub(crate) callouts: RefCell<BTreeMap<u64, CalloutOwner>>,
}

/// Whom the answer to a callout goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CalloutOwner {
    pub(crate) stream: u64,
    /// A unary gRPC call ends with its message.
    pub(crate) ends_with_message: bool,
}

impl Root {
    pub(crate) fn new(
        id: u64,
        info: PluginInfo,
        vm_configuration: Vec<u8>,
        kept_interest: Interest,
    ) -> Self {
        Self {
            id,
            name: info.name,
            root_id: info.root_id,
            vm_id: info.vm_id,
            vm_configuration,
            kept_interest,
            callouts: RefCell::default(),
        }
    }

    /// Returns the plugin's name, as in logs and metrics. May be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the configured `root_id`: which of the plugins in this component this one is. May be empty.
    pub fn root_id(&self) -> &str {
        &self.root_id
    }

    /// Returns the configured `vm_id`: the scope of shared data and queues. May be empty.
    pub fn vm_id(&self) -> &str {
        &self.vm_id
    }

    /// Returns the VM's configuration, which all plugins of the VM share. May be empty.
    pub fn vm_configuration(&self) -> &[u8] {
        &self.vm_configuration
    }

    /// Returns an exchange that the plugin has remembered, to resume or answer it from a callback of the root context.
    /// Nothing happens to one that is over.
    pub fn exchange(&self, id: StreamId) -> Exchange<'_> {
        Exchange {
            context: id.0,
            root: self,
        }
    }

    /// Returns a property of the plugin or its node, `["plugin_name"]` for one.
    ///
    /// # Errors
    ///
    /// No property has this path, or it has no value outside of exchanges.
    pub fn property(&self, path: &[&str]) -> Result<PropertyValue, Refused<PropertyError>> {
        property::get_of_root(self.id, path).map_err(|reason| property_refused(path, reason))
    }

    /// Has [`Plugin::on_tick`](crate::Plugin::on_tick) called every `period`, rounded up to milliseconds, the first
    /// time after one period. A new period starts afresh; none stops the ticks.
    ///
    /// # Errors
    ///
    /// The host has no timers.
    pub fn set_tick_period(&self, period: Option<Duration>) -> Result<(), Refused<TimerError>> {
        timer::set_tick_period(self.id, period.map(nanoseconds))
            .map_err(|reason| Refused::new("tick period", reason))
    }

    /// Calls a function that the host offers beyond the contract.
    ///
    /// # Errors
    ///
    /// The host has no function of this name, or the function failed.
    pub fn call_foreign_function(
        &self,
        name: &str,
        arguments: &[u8],
    ) -> Result<Vec<u8>, Refused<foreign_function::ForeignFunctionError>> {
        call_foreign_function(self.id, None, name, arguments)
    }

    /// Ends the root context after [`Plugin::on_done`](crate::Plugin::on_done) has returned false. Returns whether it
    /// was waiting for this.
    pub fn done(&self) -> bool {
        root_control::done(self.id)
    }

    pub(crate) fn kept_interest(&self) -> Interest {
        self.kept_interest
    }
}

/// Without the configuration, which may hold secrets.
impl Debug for Root {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("name", &self.name)
            .field("root_id", &self.root_id)
            .field("vm_id", &self.vm_id)
            .finish_non_exhaustive()
    }
}

impl Exchange<'_> {
    /// Calls a function that the host offers beyond the contract, on behalf of this exchange.
    ///
    /// # Errors
    ///
    /// The host has no function of this name, or the function failed.
    pub fn call_foreign_function(
        &self,
        name: &str,
        arguments: &[u8],
    ) -> Result<Vec<u8>, Refused<foreign_function::ForeignFunctionError>> {
        call_foreign_function(self.root.id, Some(self.context), name, arguments)
    }
}

fn call_foreign_function(
    root: u64,
    stream: Option<u64>,
    name: &str,
    arguments: &[u8],
) -> Result<Vec<u8>, Refused<foreign_function::ForeignFunctionError>> {
    foreign_function::call(root, stream, name, arguments)
        .map_err(|reason| Refused::new(format_args!("foreign function `{name}`"), reason))
}

/// The contract's unit of time. 584 years are as good as for ever.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

//! What the proxy counts of itself, for `/metrics` of the [admin endpoint](crate::admin).
//!
//! Each worker counts requests in numbers that only it writes ([`WorkerMetrics`]); what is rare is counted for each
//! plugin ([`PluginCounters`]) by whoever meets it. Nothing is added up before somebody asks: see [`exposition`].

pub mod exposition;

mod plugin;
mod request;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};

use crate::vm::PluginInfo;

pub(crate) use self::plugin::VmMeter;
pub use self::plugin::{CalloutKind, CalloutResult, PluginCounters};
pub(crate) use self::request::RequestMeter;
pub use self::worker::{ResetCause, UpstreamFailureCause, WorkerMetrics};

/// The counters of one proxy: of its workers and its plugins.
#[derive(Debug, Default)]
pub struct HostMetrics {
    workers: Mutex<Vec<Arc<WorkerMetrics>>>,
    plugins: Mutex<Vec<Arc<PluginInfo>>>,
}

impl HostMetrics {
    /// Adds a worker, and returns what it counts in.
    pub fn add_worker(&self) -> Arc<WorkerMetrics> {
        let worker = Arc::<WorkerMetrics>::default();
        self.workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(&worker));
        worker
    }

    /// Adds a plugin: its counters are shown from now on.
    pub fn add_plugin(&self, plugin: &Arc<PluginInfo>) {
        self.plugins
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(plugin));
    }

    fn workers(&self) -> Vec<Arc<WorkerMetrics>> {
        self.workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn plugins(&self) -> Vec<Arc<PluginInfo>> {
        self.plugins
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Makes an enum whose values are those of a label.
macro_rules! label {
    (
        $(#[$outer:meta])*
        pub enum $name:ident { $( $(#[$inner:meta])* $variant:ident = $text:literal, )* }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[$inner])* $variant, )* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// The value as metrics show it.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $( Self::$variant => $text, )* }
            }
        }
    };
}
pub(crate) use label;

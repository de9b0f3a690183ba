//! What VMs are made from.

use bytes::Bytes;

use super::Level;
use super::instance::VmLimits;
use crate::callout::CalloutClient;
use crate::plugin::PluginCode;
use crate::services::Services;

/// What a VM is made from, and made again after a failure.
#[derive(Clone, Debug)]
pub(crate) struct VmSpec {
    pub(crate) code: PluginCode,
    /// The scope of shared data and queues.
    pub(crate) vm_id: String,
    pub(crate) configuration: Bytes,
    /// Variables that WASI shows.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) limits: VmLimits,
    /// Messages below this level are dropped; nothing for all.
    pub(crate) log_level: Option<Level>,
    pub(crate) services: Services,
    /// Makes the callouts of the worker.
    pub(crate) callouts: CalloutClient,
}

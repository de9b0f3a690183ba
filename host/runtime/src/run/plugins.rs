//! The plugins of a configuration: each file compiled once, grouped by the VM they share.

use std::sync::Arc;

use bytes::Bytes;

use crate::config::{Config, LogLevel, PluginConfig, Recovery, Service};
use crate::plugin::{PluginCode, PluginEngine, PluginLoader};
use crate::run::RunError;
use crate::vm::PluginInfo;

/// Plugins that share a VM in each worker: equal `vm_id`, VM configuration, environment and code. Those that run once
/// share VMs of their own.
#[derive(Debug)]
pub(super) struct VmPlan {
    pub(super) code: PluginCode,
    pub(super) vm_id: String,
    pub(super) vm_configuration: Bytes,
    pub(super) environment: Vec<(String, String)>,
    pub(super) recovery: Recovery,
    /// In the first worker only.
    pub(super) once: bool,
    pub(super) roots: Vec<Root>,
}

/// A plugin as a root context.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) info: Arc<PluginInfo>,
    pub(super) configuration: Bytes,
}

/// What every worker starts.
#[derive(Debug)]
pub(super) struct Plugins {
    pub(super) vms: Vec<VmPlan>,
    /// For each plugin: its VM in `vms` and its root in that.
    pub(super) all: Vec<(Arc<PluginConfig>, usize, usize)>,
}

impl Plugins {
    /// Who the plugins are, in the order of the configuration.
    pub(super) fn infos(&self) -> impl Iterator<Item = &Arc<PluginInfo>> {
        self.all
            .iter()
            .filter_map(|(_, vm, root)| Some(&self.vms.get(*vm)?.roots.get(*root)?.info))
    }
}

pub(super) fn load(config: &Config) -> Result<Plugins, RunError> {
    let mut plugins = Plugins {
        vms: Vec::new(),
        all: Vec::new(),
    };
    if config.plugins.is_empty() {
        return Ok(plugins);
    }
    let engine = PluginEngine::new().map_err(RunError::Engine)?;
    let mut loader = PluginLoader::new(&engine, &config.cache)
        .trace_hostcalls(config.log_level == LogLevel::Trace);
    for plugin in &config.plugins {
        let loaded = loader.load(&plugin.file).map_err(|source| RunError::Load {
            plugin: plugin.name.clone(),
            source: Box::new(source),
        })?;
        let root = Root {
            info: Arc::new(PluginInfo {
                name: plugin.name.clone(),
                root_id: plugin.root_id.clone(),
                vm_id: plugin.vm_id.clone(),
                allow_callouts: plugin.allow_callouts,
                counters: Arc::default(),
            }),
            configuration: plugin.configuration.clone(),
        };
        let once = plugin.service == Some(Service::Once);
        let shared = plugins.vms.iter_mut().position(|vm| {
            vm.once == once
                && vm.vm_id == plugin.vm_id
                && vm.vm_configuration == plugin.vm_configuration
                && vm.environment == plugin.environment
                && vm.code.is_same(&loaded)
        });
        let vm = shared.unwrap_or_else(|| {
            plugins.vms.push(VmPlan {
                code: loaded,
                vm_id: plugin.vm_id.clone(),
                vm_configuration: plugin.vm_configuration.clone(),
                environment: plugin.environment.clone(),
                recovery: plugin.recovery,
                once,
                roots: Vec::new(),
            });
            plugins.vms.len() - 1
        });
        if let Some(plan) = plugins.vms.get_mut(vm) {
            plan.roots.push(root);
            plugins
                .all
                .push((Arc::clone(plugin), vm, plan.roots.len() - 1));
        }
    }
    Ok(plugins)
}

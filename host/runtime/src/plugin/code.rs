//! Compiled code with its imports resolved.

use std::fmt;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, ResourceType};
use wasmtime_wasi_io::poll::DynPollable;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream, Error as IoError};

use super::engine::PluginEngine;
use crate::vm::{PluginExports, VmState};

/// Why a component cannot be a plugin here.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// An import does not have the type that this host offers it with.
    #[error("the component cannot be linked: {0:#}; build it against `proxy-wasm:plugin@0.1.0`")]
    Import(wasmtime::Error),
    /// It does not export what every plugin does.
    #[error(
        "the component is no HTTP plugin: {0:#}; it must export `lifecycle` and `http-filter` of `proxy-wasm:plugin@0.1.0`"
    )]
    Export(wasmtime::Error),
}

/// A plugin's code, ready to be instantiated in any worker.
#[derive(Clone)]
pub struct PluginCode {
    pub(crate) engine: PluginEngine,
    pub(crate) instance: InstancePre<VmState>,
    pub(crate) exports: PluginExports,
}

impl PluginCode {
    /// Resolves a component's imports and exports.
    ///
    /// An import from WASI that this host lacks does not stop a plugin that never calls it: it traps when called.
    ///
    /// # Errors
    ///
    /// See [`CodeError`].
    pub fn new(engine: &PluginEngine, component: &Component) -> Result<Self, CodeError> {
        let instance = match engine.linker().instantiate_pre(component) {
            Ok(instance) => instance,
            Err(error) => {
                let instance = lenient(engine.linker(), component).map_err(CodeError::Import)?;
                tracing::warn!(
                    error = format!("{error:#}"),
                    "a plugin imports parts of WASI that this host lacks: calls to them will trap"
                );
                instance
            }
        };
        let exports = PluginExports::find(&instance).map_err(CodeError::Export)?;
        Ok(Self {
            engine: engine.clone(),
            instance,
            exports,
        })
    }

    /// Whether both are the same code, not just equal.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.instance.component().image_range() == other.instance.component().image_range()
    }
}

/// The packages of which this host offers every interface, in any version that is compatible.
const OFFERED: &[&str] = &[
    "proxy-wasm:plugin/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:logging/",
    "wasi:random/",
    "wasi:sockets/",
];

/// The host's side of resources that no plugin ever gets.
struct Nothing;

/// Links a component with the interfaces of other packages replaced by traps. (wasmtime's own
/// `define_unknown_imports_as_traps` goes by exact versions, and would put strangers in the place of our resources.)
fn lenient(
    linker: &Linker<VmState>,
    component: &Component,
) -> wasmtime::Result<InstancePre<VmState>> {
    let mut linker = linker.clone();
    let engine = linker.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        let is_offered = OFFERED.iter().any(|package| name.starts_with(package));
        // What is not WASI nobody imports unknowingly.
        if is_offered || !name.starts_with("wasi:") {
            continue;
        }
        let mut instance = linker.instance(name)?;
        for (item, ty) in interface.exports(&engine) {
            match ty.ty {
                ComponentItem::ComponentFunc(_) => {
                    let called = format!("`{name}` `{item}` is not offered by this host");
                    instance.func_new(item, move |_, _, _, _| {
                        Err(wasmtime::Error::msg(called.clone()))
                    })?;
                }
                ComponentItem::Resource(_) => {
                    instance.resource(item, resource(item), |_, _| Ok(()))?;
                }
                // Types need nothing of a host, and an interface holds nothing else.
                ComponentItem::Type(_)
                | ComponentItem::CoreFunc(_)
                | ComponentItem::Module(_)
                | ComponentItem::Component(_)
                | ComponentItem::ComponentInstance(_) => {}
            }
        }
    }
    linker.instantiate_pre(component)
}

/// The host's type for a resource of an interface that is not offered. What such an interface takes from `wasi:io`
/// appears among its own items, and must be the `wasi:io` that the component gets elsewhere.
fn resource(name: &str) -> ResourceType {
    match name {
        "input-stream" => ResourceType::host::<DynInputStream>(),
        "output-stream" => ResourceType::host::<DynOutputStream>(),
        "pollable" => ResourceType::host::<DynPollable>(),
        "error" | "io-error" => ResourceType::host::<IoError>(),
        _ => ResourceType::host::<Nothing>(),
    }
}

impl fmt::Debug for PluginCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginCode").finish_non_exhaustive()
    }
}

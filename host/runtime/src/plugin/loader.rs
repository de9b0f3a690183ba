//! From a file to code that can be instantiated.

use std::path::Path;

use proxy_wasi_linker::Linker;
use wasmtime::component::Component;

use super::{Artifact, ArtifactError, ArtifactKind, CodeError, PluginCode, PluginEngine};
use crate::config::CacheLocation;

/// Why a plugin's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read, or is nothing that could be a plugin.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The legacy module cannot be linked.
    #[error(transparent)]
    Link(#[from] proxy_wasi_linker::LinkError),
    /// The shim that this program carries is broken.
    #[error(transparent)]
    Shim(#[from] proxy_wasi_linker::ShimError),
    /// wasmtime does not accept the component.
    #[error("the component cannot be compiled: {0:#}")]
    Compile(wasmtime::Error),
    /// The component is no plugin.
    #[error(transparent)]
    Code(#[from] CodeError),
}

/// Loads plugins, each file once.
#[derive(Debug)]
pub struct PluginLoader<'a> {
    engine: &'a PluginEngine,
}

impl<'a> PluginLoader<'a> {
    /// A loader for an engine.
    pub fn new(engine: &'a PluginEngine, _cache: &CacheLocation) -> Self {
        Self { engine }
    }

    /// Loads a file: a legacy module is linked, a component taken as it is.
    ///
    /// # Errors
    ///
    /// See [`LoadError`].
    pub fn load(&mut self, file: &Path) -> Result<PluginCode, LoadError> {
        let artifact = Artifact::read(file)?;
        let component = match artifact.kind() {
            ArtifactKind::Component => Component::from_binary(self.engine.engine(), artifact.bytes()),
            ArtifactKind::Module => {
                let linked = Linker::new(proxy_wasi_shim_artifact::SHIM)?.link(artifact.bytes())?;
                Component::from_binary(self.engine.engine(), &linked.component)
            }
        };
        Ok(PluginCode::new(self.engine, &component.map_err(LoadError::Compile)?)?)
    }
}

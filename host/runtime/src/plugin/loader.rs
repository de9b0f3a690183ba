//! From a file to code that can be instantiated.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use proxy_wasi_linker::{Linker, reexport_callbacks};
use proxy_wasi_shim_artifact::{SHIM, TRACING_SHIM};
use wasmtime::component::Component;

use super::{
    Artifact, ArtifactError, ArtifactKind, CacheKey, CodeError, ComponentCache, PluginCode,
    PluginEngine,
};
use crate::config::CacheLocation;

/// From this size on, compiling a file takes so long, seconds, that the log says it.
const LARGE: usize = 1024 * 1024;

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
    #[error("the component cannot be compiled: {0:#}; check the file with `wasm-tools validate`")]
    Compile(wasmtime::Error),
    /// The component is no plugin.
    #[error(transparent)]
    Code(#[from] CodeError),
}

/// Loads plugins, equal files once.
#[derive(Debug)]
pub struct PluginLoader<'a> {
    engine: &'a PluginEngine,
    cache: ComponentCache,
    shim: &'static [u8],
    loaded: HashMap<CacheKey, PluginCode>,
}

impl<'a> PluginLoader<'a> {
    /// A loader for an engine, with a cache.
    pub fn new(engine: &'a PluginEngine, cache: &CacheLocation) -> Self {
        Self {
            engine,
            cache: ComponentCache::open(cache),
            shim: SHIM,
            loaded: HashMap::new(),
        }
    }

    /// Has legacy modules tell of each hostcall, at the price of another call to the host.
    #[must_use]
    pub fn trace_hostcalls(mut self, trace: bool) -> Self {
        self.shim = if trace { TRACING_SHIM } else { SHIM };
        self
    }

    /// Loads a file: a legacy module is linked, a component taken as it is.
    ///
    /// # Errors
    ///
    /// See [`LoadError`].
    pub fn load(&mut self, file: &Path) -> Result<PluginCode, LoadError> {
        let engine = self.engine.engine();
        let artifact = Artifact::read(file)?;
        let key = CacheKey::new(engine, &artifact, self.shim);
        if let Some(code) = self.loaded.get(&key) {
            return Ok(code.clone());
        }
        let component = self.cache.load_or_compile(engine, &key, || {
            if artifact.bytes().len() >= LARGE {
                let (file, bytes) = (file.display(), artifact.bytes().len());
                tracing::info!(%file, bytes, "compiling a large plugin, which takes a while");
            }
            let component = match artifact.kind() {
                ArtifactKind::Component => Cow::Borrowed(artifact.bytes()),
                ArtifactKind::Module => {
                    Cow::Owned(Linker::new(self.shim)?.link(artifact.bytes())?.component)
                }
            };
            let component = reexport_callbacks(&component).map_or(component, Cow::Owned);
            Component::from_binary(engine, &component).map_err(LoadError::Compile)
        })?;
        let code = PluginCode::new(self.engine, &component)?;
        self.loaded.insert(key, code.clone());
        Ok(code)
    }
}

//! From a file to code that can be instantiated.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use proxy_wasi_linker::{BinaryKind, Linker, reexport_callbacks, without_bodies};
use proxy_wasi_shim_artifact::{SHIM, TRACING_SHIM};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::{
    Artifact, ArtifactError, CacheKey, CodeError, ComponentCache, PluginCode, PluginEngine,
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
    #[error("`{}` cannot be compiled: {error:#}; check it with `wasm-tools validate`", .path.display())]
    Compile {
        /// The file.
        path: PathBuf,
        /// What wasmtime says.
        error: wasmtime::Error,
    },
    /// The component is no plugin.
    #[error("`{}` cannot be run", .path.display())]
    Code {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CodeError,
    },
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
            let linker = Linker::new(self.shim)?;
            artifact.check(&linker)?;
            let component = component(&linker, &artifact)?;
            if artifact.bytes().len() >= LARGE {
                let (file, bytes) = (file.display(), artifact.bytes().len());
                tracing::info!(%file, bytes, "compiling a large plugin, which takes a while");
            }
            let component = reexport_callbacks(&component).map_or(component, Cow::Owned);
            compile(engine, &artifact, &component)
        })?;
        let code = self.resolve(&artifact, &component)?;
        self.loaded.insert(key, code.clone());
        Ok(code)
    }

    /// Says whether [`PluginLoader::load`] would load a file that [`Artifact::check`] passes, without compiling its
    /// functions: the engine is asked about the types of imports and exports.
    ///
    /// # Errors
    ///
    /// What loading would fail with.
    pub fn check_types(&self, artifact: &Artifact) -> Result<(), LoadError> {
        let component = component(&Linker::new(self.shim)?, artifact)?;
        let types = without_bodies(&component).map_err(|error| artifact.invalid(error))?;
        let types = compile(self.engine.engine(), artifact, &types)?;
        self.resolve(artifact, &types).map(drop)
    }

    fn resolve(&self, artifact: &Artifact, component: &Component) -> Result<PluginCode, LoadError> {
        PluginCode::new(self.engine, component).map_err(|source| LoadError::Code {
            path: artifact.path().to_owned(),
            source,
        })
    }
}

/// The component that a checked file is, or becomes.
fn component<'a>(linker: &Linker, artifact: &'a Artifact) -> Result<Cow<'a, [u8]>, LoadError> {
    Ok(match artifact.kind() {
        BinaryKind::Component => artifact.bytes().into(),
        BinaryKind::Module => linker.link(artifact.bytes())?.component.into(),
    })
}

fn compile(engine: &Engine, artifact: &Artifact, bytes: &[u8]) -> Result<Component, LoadError> {
    Component::from_binary(engine, bytes).map_err(|error| LoadError::Compile {
        path: artifact.path().to_owned(),
        error,
    })
}

//! Compiled plugins, kept between two runs.
//!
//! An entry's name is a digest of all that decides what compiling gives, so an entry is never stale: what changes has
//! another name. Nothing here fails a start: without a directory to trust, or with a damaged entry, plugins are
//! compiled.

use std::fs::Metadata;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use proxy_wasi_linker::BinaryKind;
use sha2::{Digest, Sha256};
use tracing::{debug, warn};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::Artifact;
use crate::config::CacheLocation;

mod directory;
mod entry;

use self::directory::Directory;

/// Bytes. Compiled code is four to five times the size of a module: this holds a hundred large plugins.
pub const MAX_CACHE_SIZE: u64 = 512 * 1024 * 1024;

/// What compiling a plugin's file depends on, as a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// Makes the key of a file that is compiled by `engine`, after a link with `shim` if it is a legacy module.
    pub fn new(engine: &Engine, artifact: &Artifact, shim: &[u8]) -> Self {
        let mut digest = Sha256::new();
        digest.update(env!("CARGO_PKG_VERSION"));
        digest.update(running_program());
        digest.update(artifact.digest());
        if artifact.kind() == BinaryKind::Module {
            digest.update(Sha256::digest(shim));
        }
        let mut engine_settings = DigestHasher(digest);
        engine
            .precompile_compatibility_hash()
            .hash(&mut engine_settings);
        Self(engine_settings.0.finalize().into())
    }

    /// The name of the entry.
    fn file_name(&self) -> String {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        hex + directory::SUFFIX
    }
}

/// Tells two builds of one version apart: while proxy-wasi is developed, they link differently.
fn running_program() -> [u8; 16] {
    let metadata = std::env::current_exe().and_then(|program| program.metadata());
    let nanoseconds = |metadata: &Metadata| {
        let modified = metadata.modified().ok()?;
        Some(
            modified
                .duration_since(std::time::UNIX_EPOCH)
                .ok()?
                .as_nanos(),
        )
    };
    metadata
        .ok()
        .as_ref()
        .and_then(nanoseconds)
        .unwrap_or_default()
        .to_le_bytes()
}

/// Feeds what can only be hashed into a digest.
struct DigestHasher(Sha256);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not asked for: the digest is what counts.
    fn finish(&self) -> u64 {
        0
    }
}

/// A directory of compiled plugins, or none.
#[derive(Debug)]
pub struct ComponentCache {
    directory: Option<Directory>,
}

impl ComponentCache {
    /// Opens the cache, making its directory if need be. If the directory cannot be used, it says so in the log, and
    /// nothing is cached.
    pub fn open(location: &CacheLocation) -> Self {
        let path = match location {
            CacheLocation::Disabled => None,
            CacheLocation::Directory(path) => Some(path.clone()),
            CacheLocation::User => user_directory(),
        };
        let open = |path: PathBuf| match Directory::open(path) {
            Ok(directory) => Some(directory),
            Err(error) => {
                warn!("compiled plugins are not cached: {error}");
                None
            }
        };
        Self {
            directory: path.and_then(open),
        }
    }

    /// Returns the component of an earlier run, or makes one with `compile` and keeps it for the next.
    ///
    /// # Errors
    ///
    /// That of `compile`.
    pub fn load_or_compile<E>(
        &self,
        engine: &Engine,
        key: &CacheKey,
        compile: impl FnOnce() -> Result<Component, E>,
    ) -> Result<Component, E> {
        let Some(directory) = &self.directory else {
            return compile();
        };
        let name = key.file_name();
        if let Some(component) = load(directory, engine, key, &name) {
            return Ok(component);
        }
        let component = compile()?;
        match component.serialize() {
            Ok(compiled) => {
                let entry = [&entry::header(key, &compiled), compiled.as_slice()];
                match directory.write(&name, &entry) {
                    Ok(()) => directory.evict(MAX_CACHE_SIZE),
                    Err(error) => warn!(
                        "a compiled plugin could not be kept, and is compiled again at the next start: cannot write to \
                         the directory `{}`: {error}; make room there, or give another with `--cache-dir`",
                        directory.path().display()
                    ),
                }
            }
            Err(error) => debug!(
                error = format!("{error:#}"),
                "a compiled plugin could not be serialized"
            ),
        }
        Ok(component)
    }
}

fn user_directory() -> Option<PathBuf> {
    let directory = match choose_native_strategy() {
        Ok(user) => user.cache_dir(),
        Err(error) => {
            debug!(%error, "compiled plugins are not cached: this user has no cache directory");
            return None;
        }
    };
    // As with an empty `HOME`: it would be another directory for each working directory.
    if directory.is_relative() {
        debug!(
            ?directory,
            "compiled plugins are not cached: the user's cache directory is relative"
        );
        return None;
    }
    Some(directory.join("proxy-wasi"))
}

fn load(directory: &Directory, engine: &Engine, key: &CacheKey, name: &str) -> Option<Component> {
    let bytes = match directory.read(name) {
        Ok(bytes) => bytes?,
        Err(error) => {
            debug!(entry = name, %error, "a compiled plugin is not used");
            return None;
        }
    };
    match entry::component(engine, key, &bytes) {
        Ok(component) => Some(component),
        Err(error) => {
            debug!(entry = name, %error, "a compiled plugin is not used");
            None
        }
    }
}

#[cfg(test)]
mod tests;

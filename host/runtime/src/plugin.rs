//! Plugin code: what a file holds, compiled once for all workers.

mod artifact;
mod cache;
mod code;
mod engine;
mod loader;

pub use self::artifact::{Artifact, ArtifactError, MAX_FILE_SIZE};
pub use self::cache::{CacheKey, ComponentCache, MAX_CACHE_SIZE};
pub use self::code::{CodeError, PluginCode};
pub use self::engine::{EPOCH_PERIOD, PluginEngine};
pub use self::loader::{LoadError, PluginLoader};

//! Plugin code: what a file holds, compiled once for all workers.

mod code;
mod engine;
mod loader;

pub use self::code::{CodeError, PluginCode};
pub use self::engine::{EPOCH_PERIOD, PluginEngine};
pub use self::loader::{LoadError, PluginLoader};

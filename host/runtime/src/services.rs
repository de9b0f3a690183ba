//! What a host offers to all plugins of all workers, and an embedder may replace.

use std::sync::Arc;

use crate::foreign::ForeignFunctions;
use crate::state::State;

/// The services of one proxy. Clones are the same services.
///
/// ```
/// use std::sync::Arc;
///
/// use proxy_wasi_runtime::Services;
/// use proxy_wasi_runtime::foreign::ForeignFunctions;
///
/// let mut functions = ForeignFunctions::default();
/// functions.register("reverse", |input| Ok(input.iter().rev().copied().collect()));
/// let services = Services {
///     foreign_functions: Arc::new(functions),
///     ..Services::default()
/// };
/// # drop(services);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// What plugins share. Default is this process's memory.
    pub state: State,
    /// What plugins can call by name. Default are those of Envoy's that make sense here.
    pub foreign_functions: Arc<ForeignFunctions>,
}

//! One plugin VM: its store, its contexts, its callbacks and the hostcalls that answer it.

mod access;
mod bindings;
mod callouts;
mod deadline;
mod hostcalls;
mod instance;
mod limits;
mod log;
mod metrics;
mod roots;
mod said;
mod shared;
mod spec;
mod state;
mod streams;
#[cfg(test)]
pub(crate) mod testing;
mod trap;
mod wasi;

pub use self::access::*;
pub use self::bindings::wasi::logging::logging::Level;
pub(crate) use self::hostcalls::add_to_linker;
pub(crate) use self::instance::{At, PluginExports, Vm};
pub use self::instance::{StartError, VmLimits};
pub(crate) use self::shared::SharedVm;
pub(crate) use self::spec::VmSpec;
pub use self::state::PluginInfo;
pub(crate) use self::state::VmState;
pub use self::trap::{Trap, TrapCause};

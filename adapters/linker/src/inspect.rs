//! What a WebAssembly file is, and whether the host will run it.

mod component;
mod core_module;
mod sdk;
mod search;
mod sizes;
mod toolchain;

use thiserror::Error;

use crate::binary::{self, BinaryError, BinaryKind};
use crate::error::LinkError;
use crate::linker::Linker;
use crate::module::Module;
use crate::producers::{self, Producer};

pub use component::{Component, ComponentRole};
pub use core_module::{CoreModule, ExportedCallback, ImportSupport, ImportedItem, MemoryLimits};
pub use sdk::Sdk;
pub use sizes::Sizes;
pub use toolchain::Toolchain;

/// What is known of a file. Plain facts: how to show them is for others to say.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Inspection {
    /// What the file is.
    pub kind: Kind,
    /// Bytes in the file, and in its larger parts.
    pub sizes: Sizes,
    /// A guess at what built it.
    pub toolchain: Toolchain,
    /// A Proxy-Wasm SDK whose traces are in the file.
    pub sdk: Option<Sdk>,
    /// Tools that have signed the file or a module within it, without repetitions.
    pub producers: Vec<Producer>,
    /// Why the host will not run it; `None` if it will.
    pub refusal: Option<Refusal>,
}

/// The kinds of files that an inspection tells apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A core module with a known ABI marker.
    LegacyModule(CoreModule),
    /// A component with the exports of `proxy-wasm:plugin`.
    Plugin(Component),
    /// A component of another world.
    OtherComponent(Component),
    /// A core module that does not speak the Proxy-Wasm ABI, or a version of it that nobody knows.
    OtherModule(CoreModule),
}

/// Why the host will not run a file. Every message is one line.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// A function body is invalid, or the file uses a WebAssembly proposal that is not supported.
    #[error("not valid WebAssembly: {0}")]
    Binary(BinaryError),
    /// The module cannot be linked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A component of another world.
    #[error(
        "component is no plugin: it exports no `proxy-wasm:plugin/lifecycle`, but {exports}; \
         build it for the world `proxy-wasm:plugin/http-plugin`"
    )]
    NotPlugin {
        /// What it exports, in backticks, or `nothing`.
        exports: String,
    },
    /// A component of another version of our world.
    #[error(
        "component is built for `proxy-wasm:plugin@{found}`; this release runs {supported}; \
         build it again with that version"
    )]
    PluginVersion {
        /// The version of its exports.
        found: String,
        /// The versions that run, as `0.1.x`.
        supported: String,
    },
    /// A required export of our world is missing.
    #[error("component does not export `proxy-wasm:plugin/{export}`, which every plugin has")]
    MissingExport {
        /// The interface.
        export: &'static str,
    },
    /// An import that no host of our world offers.
    #[error(
        "component imports `{import}`, which the host does not offer; \
         plugins import `proxy-wasm:plugin` and WASI only"
    )]
    Import {
        /// The import.
        import: String,
    },
}

/// Not as a source: the message holds all of it.
impl From<BinaryError> for Refusal {
    fn from(error: BinaryError) -> Self {
        Self::Binary(error)
    }
}

impl Linker {
    /// Says what a file is, and whether [`Linker::link`] (for a legacy module) or the host (for a component) will take
    /// it. An import counts as implemented if this linker's shim implements it. Of a component's imports and exports
    /// only the names are looked at: whether their types are the host's, the host's engine says.
    ///
    /// # Errors
    ///
    /// If the bytes are no WebAssembly binary. One whose structure is valid but not its function bodies is inspected,
    /// and refused.
    pub fn inspect(&self, bytes: &[u8]) -> Result<Inspection, BinaryError> {
        let (kind, refusal) = self.examine(bytes)?;
        let producers = producers::read(bytes)?;
        Ok(Inspection {
            kind,
            sizes: Sizes::of(bytes)?,
            toolchain: Toolchain::of(bytes, &producers),
            sdk: Sdk::find(bytes),
            producers,
            refusal,
        })
    }

    /// Says whether the host will run a file, as [`Linker::inspect`] does.
    ///
    /// # Errors
    ///
    /// Why it will not.
    pub fn check(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let (_, refusal) = self.examine(bytes)?;
        refusal.map_or(Ok(()), Err)
    }

    fn examine(&self, bytes: &[u8]) -> Result<(Kind, Option<Refusal>), BinaryError> {
        let (kind, refusal) = match binary::kind(bytes)? {
            BinaryKind::Module => self.inspect_module(&Module::parse(bytes)?),
            BinaryKind::Component => inspect_component(bytes)?,
        };
        // Last: it takes longest, and other refusals say more.
        let refusal = refusal.or_else(|| binary::validate(bytes).err().map(Refusal::Binary));
        Ok((kind, refusal))
    }

    fn inspect_module(&self, module: &Module<'_>) -> (Kind, Option<Refusal>) {
        let core_module = CoreModule::new(module, self.shim());
        let kind = if core_module.abi.is_some() {
            Kind::LegacyModule(core_module)
        } else {
            Kind::OtherModule(core_module)
        };
        (kind, self.plan(module).err().map(Refusal::Link))
    }
}

fn inspect_component(bytes: &[u8]) -> Result<(Kind, Option<Refusal>), BinaryError> {
    let component = Component::parse(bytes)?;
    let refusal = component.refusal();
    let kind = if component.role == ComponentRole::Plugin {
        Kind::Plugin(component)
    } else {
        Kind::OtherComponent(component)
    };
    Ok((kind, refusal))
}

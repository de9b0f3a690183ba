//! What a WebAssembly file is, and whether the host will run it.

mod component;
mod core_module;
mod sdk;
mod search;
mod sizes;
mod toolchain;

use thiserror::Error;

use crate::error::{LinkError, is_truncation, one_line};
use crate::linker::Linker;
use crate::module::{Module, ParseError};
use crate::producers::{self, Producer};
use crate::wasm_magic;

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
    /// No WebAssembly binary.
    NotWasm,
}

/// Why the host will not run a file. Every message is one line.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
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

/// Why a file cannot be inspected. Every message is one line.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InspectError {
    /// The bytes end too early.
    #[error("file is truncated: it ends at offset {offset:#x}; fetch or build it again")]
    Truncated {
        /// Where more bytes were expected.
        offset: usize,
    },
    /// The bytes are no valid WebAssembly.
    #[error("malformed WebAssembly at offset {offset:#x}: {reason}")]
    Malformed {
        /// Where the fault is.
        offset: usize,
        /// What the fault is.
        reason: String,
    },
}

impl Linker {
    /// Says what a file is, and whether [`Linker::link`] (for a legacy module) or the host (for a component) will take
    /// it. An import counts as implemented if this linker's shim implements it. Function bodies are not looked at.
    ///
    /// # Errors
    ///
    /// If the bytes begin as WebAssembly does, but are malformed. Other bytes are [`Kind::NotWasm`].
    pub fn inspect(&self, bytes: &[u8]) -> Result<Inspection, InspectError> {
        if let Err(error) = wasm_magic::check(bytes) {
            return Ok(Inspection {
                kind: Kind::NotWasm,
                sizes: Sizes {
                    file: bytes.len(),
                    ..Sizes::default()
                },
                toolchain: Toolchain::Unknown,
                sdk: None,
                producers: Vec::new(),
                refusal: Some(error.into()),
            });
        }
        let (kind, refusal) = match Module::parse(bytes) {
            Ok(module) => self.inspect_module(&module),
            Err(ParseError::Component) => inspect_component(bytes)?,
            Err(ParseError::Malformed(error)) => return Err(error.into()),
        };
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

fn inspect_component(bytes: &[u8]) -> Result<(Kind, Option<Refusal>), InspectError> {
    let component = Component::parse(bytes)?;
    let refusal = component.refusal();
    let kind = if component.role == ComponentRole::Plugin {
        Kind::Plugin(component)
    } else {
        Kind::OtherComponent(component)
    };
    Ok((kind, refusal))
}

impl From<wasmparser::Error> for InspectError {
    fn from(error: wasmparser::Error) -> Self {
        let offset = error.offset();
        if is_truncation(&error) {
            Self::Truncated { offset }
        } else {
            Self::Malformed {
                offset,
                reason: one_line(error.message()),
            }
        }
    }
}

//! What can go wrong.

use thiserror::Error;
use wasm_encoder::reencode;

use crate::binary::BinaryError;
use crate::linker::MAX_MODULE_BYTES;
use crate::signature::Signature;

/// Why a module cannot be linked. Every message is one line.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum LinkError {
    /// The bytes are no valid WebAssembly binary.
    #[error("not valid WebAssembly: {0}")]
    Binary(BinaryError),
    /// There are more bytes than are ever linked.
    #[error(
        "module has {bytes} bytes; at most {MAX_MODULE_BYTES} are linked: strip it, or leave data out of it"
    )]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// The bytes are a component.
    #[error("already a component: only legacy modules are linked; use it as it is")]
    AlreadyComponent,
    /// The module exports no ABI marker.
    #[error(
        "not a Proxy-Wasm module: it exports no `proxy_abi_version_*` function; \
         build it with a Proxy-Wasm SDK for ABI 0.1.0, 0.2.0 or 0.2.1"
    )]
    NoAbiVersion,
    /// The module is the code of a component, without the component around it.
    #[error(
        "not a component yet: the module exports `{export}`; make a component of it with \
         `wasm-tools component new`, or build Rust for wasm32-wasip2"
    )]
    NotYetComponent {
        /// The first function of an interface.
        export: String,
    },
    /// The module's only ABI marker is one that nobody knows.
    #[error(
        "unsupported Proxy-Wasm ABI: the module exports `{marker}`; \
         build it for ABI 0.1.0, 0.2.0 or 0.2.1"
    )]
    UnknownAbiVersion {
        /// The first marker.
        marker: String,
    },
    /// The host has no way to give the module bytes.
    #[error(
        "no allocator: the module exports neither `malloc` nor `proxy_on_memory_allocate`; \
         export one of them as `(i32) -> i32`"
    )]
    NoAllocator,
    /// There is no memory.
    #[error("no memory: the module neither defines nor imports one; Proxy-Wasm needs one memory")]
    NoMemory,
    /// There is more than one memory.
    #[error("{count} memories: Proxy-Wasm modules have one; build without multiple memories")]
    SeveralMemories {
        /// How many there are.
        count: usize,
    },
    /// The memory has 64-bit addresses.
    #[error("64-bit memory: Proxy-Wasm pointers have 32 bits; build for wasm32")]
    Memory64,
    /// The memory is shared between threads.
    #[error("shared memory: Proxy-Wasm modules have one thread; build without threads")]
    SharedMemory,
    /// An import that is no function.
    #[error(
        "import of {kind} `{import}`: Proxy-Wasm hosts offer functions only; \
         link the module statically"
    )]
    ImportKind {
        /// `table`, `global` or `tag`.
        kind: &'static str,
        /// The import, as `env.memory_base`.
        import: String,
    },
    /// A function is imported with types that only its own module knows.
    #[error(
        "import `{import}` has a signature with garbage-collected types; \
         Proxy-Wasm functions take numbers"
    )]
    ImportSignature {
        /// The import, as `env.take_pair`.
        import: String,
    },
    /// A function that hosts call has another signature than they call it with.
    #[error("`{function}` has signature `{found}`; Proxy-Wasm hosts call it as {expected}")]
    Signature {
        /// The export, or `start section`.
        function: &'static str,
        /// What it may be, each in backticks: most callbacks have one signature, some a shorter one in ABI 0.1.0.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The component that came out is not valid, because a function body of the module is not.
    #[error(
        "linked component is invalid at offset {offset:#x}: {reason}; \
         check the module with `wasm-tools validate`"
    )]
    Invalid {
        /// Where in the *component* the fault is.
        offset: usize,
        /// What the fault is.
        reason: String,
    },
    /// The component could not be put together.
    #[error("component could not be encoded: {reason}; please report this module")]
    Encode {
        /// What the encoder says.
        reason: String,
    },
}

/// Not as a source: the message holds all of it.
impl From<BinaryError> for LinkError {
    fn from(error: BinaryError) -> Self {
        Self::Binary(error)
    }
}

impl From<wasmparser::Error> for LinkError {
    fn from(error: wasmparser::Error) -> Self {
        Self::Binary(error.into())
    }
}

/// Parts of a valid module that cannot be written again: not reached with modules that the parser has admitted.
impl<E: std::fmt::Display> From<reencode::Error<E>> for LinkError {
    fn from(error: reencode::Error<E>) -> Self {
        Self::Encode {
            reason: one_line(&error.to_string()),
        }
    }
}

/// A message of another crate, which may have several lines.
pub(crate) fn one_line(message: &str) -> String {
    let lines: Vec<String> = message.lines().map(collapse_spaces).collect();
    lines.join(": ")
}

fn collapse_spaces(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Longer names are cut in messages and reports.
const MAX_NAME_CHARS: usize = 120;

/// A name that a module has chosen, fit for one line of a message or log whatever its characters.
pub(crate) fn printable(name: &str) -> String {
    let mut text = String::new();
    for (at, character) in name.chars().enumerate() {
        if at == MAX_NAME_CHARS {
            text.push('…');
            break;
        }
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

/// An import as its module names it, `env.proxy_log`, fit for a message.
pub(crate) fn import_name(module: &str, name: &str) -> String {
    printable(&format!("{module}.{name}"))
}

/// Why bytes cannot serve as the shim. Only people who build a shim ever see one.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ShimError {
    /// The bytes are no core module.
    #[error("shim is not a core module: {reason}; build it for wasm32-unknown-unknown")]
    NotModule {
        /// What is wrong.
        reason: String,
    },
    /// No world is embedded.
    #[error("shim has no `component-type` section; build it with wit-bindgen")]
    NoWorld,
    /// Something would run while the component is being instantiated, when the legacy module cannot be called yet.
    #[error("shim has {found}; it must do nothing before its first export is called")]
    RunsAtInstantiation {
        /// A start section or an `_initialize` export.
        found: &'static str,
    },
    /// The shim has none or several memories, or imports one.
    #[error("shim has {count} memories, defined or imported; it must define one")]
    Memories {
        /// How many it has.
        count: usize,
    },
    /// The shim imports something that is no function.
    #[error("shim imports {kind} `{module}.{name}`; it may import functions only")]
    ImportKind {
        /// `memory`, `table`, `global` or `tag`.
        kind: &'static str,
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// The shim imports a function that the linker does not generate.
    #[error(
        "shim imports `{module}` `{name}`, which the linker does not know; build both from the same release"
    )]
    UnknownPlaceholder {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// A function that the linker and the shim share is declared with another signature.
    #[error(
        "shim declares `{name}` as `{found}`, not as `{expected}`; build shim and linker from the same release"
    )]
    Signature {
        /// An import from one of the placeholder modules, or an export.
        name: String,
        /// What the linker generates or calls.
        expected: Signature,
        /// What the shim declares.
        found: String,
    },
    /// An export is missing.
    #[error("shim does not export `{name}`; build shim and linker from the same release")]
    MissingExport {
        /// The export.
        name: &'static str,
    },
}

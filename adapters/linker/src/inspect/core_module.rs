//! Core modules, above all legacy ones.

use proxy_wasi_abi::AbiVersion;
use wasmparser::ExternalKind;

use crate::imports::{self, Answer};
use crate::module::{Export, Module};
use crate::plan::{abi_version, is_called};
use crate::report::{StubAnswer, StubReason};
use crate::shim::Shim;
use crate::signature::Signature;
use crate::start::{self, Start};

/// What a core module has that matters to a Proxy-Wasm host.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CoreModule {
    /// The ABI of the first known marker.
    pub abi: Option<AbiVersion>,
    /// What runs before the first callback, in this order.
    pub start: Vec<Start>,
    /// The allocator that hosts use: `malloc`, else `proxy_on_memory_allocate`.
    pub allocator: Option<&'static str>,
    /// The exported functions named like callbacks, in the module's order.
    pub callbacks: Vec<ExportedCallback>,
    /// The names of all other exports, in the module's order.
    pub other_exports: Vec<String>,
    /// The imported functions in the module's order, then other imports but memories.
    pub imports: Vec<ImportedItem>,
    /// Imported memories, then defined ones.
    pub memories: Vec<MemoryLimits>,
}

/// An exported function whose name begins with `proxy_on_`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ExportedCallback {
    /// The export's name.
    pub name: String,
    /// Its signature; `None` for types that only the module knows.
    pub signature: Option<Signature>,
    /// Whether the host calls it. It does not call callbacks of TCP plugins, nor names that the ABI has dropped.
    pub is_called: bool,
}

/// Something that a module imports.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ImportedItem {
    /// The import's module, such as `env`.
    pub module: String,
    /// The import's name.
    pub name: String,
    /// Its signature, if it is a function with types that others know.
    pub signature: Option<Signature>,
    /// What the module gets for it.
    pub support: ImportSupport,
}

/// What a module gets for an import.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ImportSupport {
    /// The function.
    Implemented,
    /// The function, though it is declared in a variant of its signature.
    Adapted,
    /// A stub, which logs its name when it is called.
    Stub {
        /// Why.
        reason: StubReason,
        /// What the call gets.
        answer: StubAnswer,
        /// The signature that the ABI or WASI gives the function, if they know it.
        known_signature: Option<Signature>,
    },
    /// Nothing: the module cannot be linked. The import is a `table`, `global` or `tag`, or a `function` with types
    /// that only the module knows.
    Refused {
        /// Which of them.
        kind: &'static str,
    },
}

/// The size of a memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MemoryLimits {
    /// At instantiation, in pages of 64 KiB.
    pub initial_pages: u64,
    /// At most, in pages of 64 KiB; `None` is the limit of the address space.
    pub maximum_pages: Option<u64>,
    /// Whether the module imports it.
    pub is_imported: bool,
}

impl CoreModule {
    pub(super) fn new(module: &Module<'_>, shim: &Shim) -> Self {
        let abi = abi_version(module).ok();
        let (callbacks, others): (Vec<&Export<'_>>, Vec<&Export<'_>>) = module
            .exports
            .iter()
            .partition(|export| is_named_like_callback(export));
        let callbacks = callbacks.into_iter().map(|export| ExportedCallback {
            name: export.name.to_owned(),
            signature: module.function_signature(export.index).cloned(),
            is_called: abi.is_some_and(|abi| is_called(export.name, abi)),
        });
        Self {
            abi,
            start: Start::steps(module),
            allocator: start::allocator(module),
            callbacks: callbacks.collect(),
            other_exports: others.iter().map(|export| export.name.to_owned()).collect(),
            imports: imports(module, shim),
            memories: memories(module),
        }
    }
}

fn is_named_like_callback(export: &Export<'_>) -> bool {
    let is_function = export.kind == ExternalKind::Func;
    // The allocator is named alike.
    is_function && export.name.starts_with("proxy_on_") && export.name != "proxy_on_memory_allocate"
}

fn imports(module: &Module<'_>, shim: &Shim) -> Vec<ImportedItem> {
    let functions = module.imported_functions.iter().map(|import| {
        let signature = module.signature(import.type_index);
        let support = match signature {
            Some(signature) => support(import.module, import.name, signature, shim),
            None => ImportSupport::Refused { kind: "function" },
        };
        item(import.module, import.name, signature.cloned(), support)
    });
    let others = module.other_imports.iter().map(|import| {
        let support = ImportSupport::Refused { kind: import.kind };
        item(import.module, import.name, None, support)
    });
    functions.chain(others).collect()
}

fn support(module: &str, name: &str, signature: &Signature, shim: &Shim) -> ImportSupport {
    match imports::answer(module, name, signature, shim) {
        Answer::Hostcall(_) | Answer::Exit => ImportSupport::Implemented,
        Answer::Adapted(_) => ImportSupport::Adapted,
        Answer::Stub { reason, answer } => {
            let known_signature = imports::known_signature(module, name);
            ImportSupport::Stub {
                reason,
                answer,
                known_signature,
            }
        }
    }
}

fn item(
    module: &str,
    name: &str,
    signature: Option<Signature>,
    support: ImportSupport,
) -> ImportedItem {
    ImportedItem {
        module: module.to_owned(),
        name: name.to_owned(),
        signature,
        support,
    }
}

fn memories(module: &Module<'_>) -> Vec<MemoryLimits> {
    let imported = module.imported_memories.iter().map(|memory| (memory, true));
    let defined = module.defined_memories.iter().map(|memory| (memory, false));
    let limits = imported
        .chain(defined)
        .map(|(memory, is_imported)| MemoryLimits {
            initial_pages: memory.initial,
            maximum_pages: memory.maximum,
            is_imported,
        });
    limits.collect()
}

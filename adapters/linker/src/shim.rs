//! The shim, read once: what the linker has to fill in, and what the shim offers to legacy modules.

use std::collections::HashMap;

use proxy_wasi_abi::callback::{CALLBACKS, Callback};
use proxy_wasi_abi::hostcall;
use wasmparser::{ExternalKind, Validator};

use crate::binary::{self, BinaryKind, FEATURES};
use crate::bridge::Bridge;
use crate::error::ShimError;
use crate::imports::known_signature;
use crate::index::to_u32;
use crate::module::{Export, Module};
use crate::signature::Signature;

/// Imports from here become functions that reach the legacy module's memory or its linking facts.
const BRIDGE_MODULE: &str = "proxy-wasi:bridge";
/// Imports from here become calls of the legacy module's exports.
const LEGACY_MODULE: &str = "proxy-wasi:legacy";
/// Called by a stub, with the range of its name in the table of stub names.
const REPORT_STUB: &str = "proxy-wasi:report-stub";

/// One of the module names under which WASI is imported; they mean the same.
const WASI_MODULE: &str = "wasi_snapshot_preview1";

/// A shim that keeps its side of the contract.
#[derive(Debug)]
pub(crate) struct Shim {
    pub(crate) bytes: Vec<u8>,
    /// By type index; `None` for types that no generated function can have.
    pub(crate) types: Vec<Option<Signature>>,
    /// By function index.
    pub(crate) imports: Vec<ShimImport>,
    pub(crate) defined_functions: u32,
    pub(crate) defined_globals: u32,
    pub(crate) defined_tags: u32,
    pub(crate) report_stub: u32,
    /// Functions for legacy modules: `env.proxy_log`, `wasi.fd_write`.
    hostcalls: HashMap<String, Hostcall>,
}

/// A function that the shim imports.
#[derive(Debug)]
pub(crate) struct ShimImport {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) type_index: u32,
    /// What takes its place; `None` if it stays an import.
    pub(crate) placeholder: Option<Placeholder>,
}

/// An import that the linker replaces by a function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Placeholder {
    Bridge(Bridge),
    /// Everything that runs before the first callback.
    Start,
    /// The legacy module's allocator.
    Allocate,
    /// A callback, and its index in [`CALLBACKS`].
    Callback(usize, &'static Callback),
}

/// A function that the shim exports for legacy modules.
#[derive(Debug)]
pub(crate) struct Hostcall {
    /// The function's index in the shim.
    pub(crate) function: u32,
    pub(crate) signature: Signature,
}

impl Shim {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ShimError> {
        let not_module = |reason| ShimError::NotModule { reason };
        if binary::kind(bytes).map_err(|error| not_module(error.to_string()))?
            == BinaryKind::Component
        {
            return Err(not_module("it is a component".to_owned()));
        }
        let module = Module::parse(bytes).map_err(|error| not_module(error.to_string()))?;
        Validator::new_with_features(FEATURES)
            .validate_all(bytes)
            .map_err(|error| not_module(error.to_string()))?;
        check_shape(&module)?;
        let report_stub = Signature::of_i32s(2, false);
        Ok(Self {
            bytes: bytes.to_vec(),
            imports: read_imports(&module)?,
            defined_functions: to_u32(module.defined_functions.len()),
            defined_globals: module.defined_globals,
            defined_tags: module.defined_tags,
            report_stub: exported_function(&module, REPORT_STUB, &report_stub)?,
            hostcalls: read_hostcalls(&module)?,
            types: module.types,
        })
    }

    /// The function that answers an import; `key` is `env.<hostcall>` or `wasi.<function>`.
    pub(crate) fn hostcall(&self, key: &str) -> Option<&Hostcall> {
        self.hostcalls.get(key)
    }
}

fn check_shape(module: &Module<'_>) -> Result<(), ShimError> {
    if module.start.is_some() {
        return Err(ShimError::RunsAtInstantiation {
            found: "a start section",
        });
    }
    if module.exported_function("_initialize").is_some() {
        return Err(ShimError::RunsAtInstantiation {
            found: "an export `_initialize`",
        });
    }
    if !module
        .custom_sections
        .iter()
        .any(|section| section.starts_with("component-type"))
    {
        return Err(ShimError::NoWorld);
    }
    if let Some(import) = module.other_imports.first() {
        return Err(ShimError::ImportKind {
            kind: import.kind,
            module: import.module.to_owned(),
            name: import.name.to_owned(),
        });
    }
    let (defined, imported) = (
        module.defined_memories.len(),
        module.imported_memories.len(),
    );
    if (defined, imported) != (1, 0) {
        return Err(ShimError::Memories {
            count: defined + imported,
        });
    }
    Ok(())
}

fn read_imports(module: &Module<'_>) -> Result<Vec<ShimImport>, ShimError> {
    let mut imports = Vec::with_capacity(module.imported_functions.len());
    for import in &module.imported_functions {
        let placeholder = placeholder(import.module, import.name)?;
        if let Some(placeholder) = placeholder {
            let found = module.signature(import.type_index);
            check_signature(import.name, &placeholder.signature(), found)?;
        }
        imports.push(ShimImport {
            module: import.module.to_owned(),
            name: import.name.to_owned(),
            type_index: import.type_index,
            placeholder,
        });
    }
    Ok(imports)
}

fn placeholder(module: &str, name: &str) -> Result<Option<Placeholder>, ShimError> {
    let placeholder = match module {
        BRIDGE_MODULE => Bridge::from_name(name).map(Placeholder::Bridge),
        LEGACY_MODULE => match name {
            "start" => Some(Placeholder::Start),
            "allocate" => Some(Placeholder::Allocate),
            name => callback_named(name),
        },
        _ => return Ok(None),
    };
    match placeholder {
        Some(placeholder) => Ok(Some(placeholder)),
        None => Err(ShimError::UnknownPlaceholder {
            module: module.to_owned(),
            name: name.to_owned(),
        }),
    }
}

fn callback_named(name: &str) -> Option<Placeholder> {
    let mut callbacks = CALLBACKS.iter().enumerate();
    let (index, callback) = callbacks.find(|(_, callback)| callback.name == name)?;
    Some(Placeholder::Callback(index, callback))
}

impl Placeholder {
    pub(crate) fn signature(self) -> Signature {
        match self {
            Self::Bridge(bridge) => bridge.signature(),
            Self::Start => Signature::of_i32s(0, false),
            Self::Allocate => Signature::of_i32s(1, true),
            Self::Callback(_, callback) => {
                Signature::of_i32s(usize::from(callback.params), callback.has_result)
            }
        }
    }
}

fn read_hostcalls(module: &Module<'_>) -> Result<HashMap<String, Hostcall>, ShimError> {
    let mut hostcalls = HashMap::new();
    let is_function = |export: &&Export<'_>| export.kind == ExternalKind::Func;
    for export in module.exports.iter().filter(is_function) {
        let Some((group, name)) = export.name.split_once('.') else {
            continue;
        };
        let group = match group {
            "env" => hostcall::MODULE,
            "wasi" => WASI_MODULE,
            _ => continue,
        };
        let Some(signature) = module.function_signature(export.index) else {
            continue;
        };
        // Otherwise every module that imports it would silently get a stub.
        if let Some(known) = known_signature(group, name) {
            check_signature(export.name, &known, Some(signature))?;
        }
        let hostcall = Hostcall {
            function: export.index,
            signature: signature.clone(),
        };
        hostcalls.insert(export.name.to_owned(), hostcall);
    }
    Ok(hostcalls)
}

fn exported_function(
    module: &Module<'_>,
    name: &'static str,
    expected: &Signature,
) -> Result<u32, ShimError> {
    let function = module
        .exported_function(name)
        .ok_or(ShimError::MissingExport { name })?;
    check_signature(name, expected, module.function_signature(function))?;
    Ok(function)
}

fn check_signature(
    name: &str,
    expected: &Signature,
    found: Option<&Signature>,
) -> Result<(), ShimError> {
    if found == Some(expected) {
        return Ok(());
    }
    Err(ShimError::Signature {
        name: name.to_owned(),
        expected: expected.clone(),
        found: found.map_or_else(|| "a type of its own".to_owned(), Signature::to_string),
    })
}

//! Everything that is decided before a byte is written: whether a module can be linked, and how.

use proxy_wasi_abi::AbiVersion;
use proxy_wasi_abi::callback::{CALLBACKS, Callback, callback_index};
use wasmparser::{ExternalKind, MemoryType};

use crate::error::{LinkError, import_name, printable};
use crate::imports::{self, Import};
use crate::module::Module;
use crate::shim::Shim;
use crate::signature::Signature;
use crate::start::{self, Start};

// The shim asks for the exported callbacks as the bits of one number.
const _: () = assert!(CALLBACKS.len() <= u64::BITS as usize);

/// How to link one module.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) abi: AbiVersion,
    pub(crate) memory: MemoryType,
    /// The functions that main imports from the legacy module. The other fields point in here.
    pub(crate) legacy_functions: Vec<LegacyFunction>,
    /// What runs before the first callback, in this order.
    pub(crate) start: Vec<usize>,
    pub(crate) allocator: usize,
    /// For each of [`CALLBACKS`], unless the module does not export it.
    pub(crate) callbacks: Vec<Option<usize>>,
    pub(crate) imports: Vec<Import<'a>>,
}

/// A function of the legacy module that main calls.
#[derive(Debug)]
pub(crate) struct LegacyFunction {
    /// The module's own name for it; `start section` if that is how it ran.
    pub(crate) name: &'static str,
    /// The function's index in the legacy module.
    pub(crate) function: u32,
    pub(crate) signature: Signature,
}

impl LegacyFunction {
    /// Its export name in the rewritten module. wit-component gives some names, like `cabi_realloc` and
    /// `_initialize`, a meaning in libraries too; none begins like this.
    pub(crate) fn export(&self) -> String {
        format!("legacy {}", self.name)
    }
}

impl<'a> Plan<'a> {
    /// Decides how to link `module`.
    pub(crate) fn new(module: &'a Module<'_>, shim: &Shim) -> Result<Self, LinkError> {
        let abi = abi_version(module)?;
        let memory = memory(module)?;
        if let Some(import) = module.other_imports.first() {
            return Err(LinkError::ImportKind {
                kind: import.kind,
                import: import_name(import.module, import.name),
            });
        }
        let mut exports = Exports {
            module,
            functions: Vec::new(),
        };
        let start = exports.start()?;
        let allocator = exports.allocator()?;
        let callbacks = exports.callbacks(abi)?;
        Ok(Self {
            abi,
            memory,
            legacy_functions: exports.functions,
            start,
            allocator,
            callbacks,
            imports: imports::plan(module, shim)?,
        })
    }

    /// Bit i is set if the module exports callback i.
    pub(crate) fn callback_bits(&self) -> u64 {
        let exported = self
            .callbacks
            .iter()
            .enumerate()
            .filter(|(_, callback)| callback.is_some());
        exported.fold(0, |bits, (index, _)| bits | (1 << index))
    }

    /// The names of the callbacks that the module exports.
    pub(crate) fn callback_names(&self) -> impl Iterator<Item = &'static str> {
        let exported = CALLBACKS.iter().zip(&self.callbacks);
        exported
            .filter(|(_, exported)| exported.is_some())
            .map(|(callback, _)| callback.name)
    }
}

/// The version of the first known marker in the order of the export section, as in Envoy: not the highest one.
pub(crate) fn abi_version(module: &Module<'_>) -> Result<AbiVersion, LinkError> {
    let (mut unknown, mut of_interface) = (None, None);
    for export in module
        .exports
        .iter()
        .filter(|export| export.kind == ExternalKind::Func)
    {
        if let Some(version) = AbiVersion::from_marker(export.name) {
            return Ok(version);
        }
        if export.name.starts_with("proxy_abi_version_") {
            unknown = unknown.or(Some(export.name));
        }
        if is_of_interface(export.name) {
            of_interface = of_interface.or(Some(export.name));
        }
    }
    Err(match (unknown, of_interface) {
        (Some(marker), _) => LinkError::UnknownAbiVersion {
            marker: printable(marker),
        },
        (None, Some(export)) => LinkError::NotYetComponent {
            export: printable(export),
        },
        (None, None) => LinkError::NoAbiVersion,
    })
}

/// Whether component tools gave an export its name: `proxy-wasm:plugin/lifecycle@0.1.0#start`.
fn is_of_interface(name: &str) -> bool {
    name.split_once('#')
        .and_then(|(interface, _)| interface.split_once('/'))
        .is_some_and(|(package, _)| package.contains(':'))
}

fn memory(module: &Module<'_>) -> Result<MemoryType, LinkError> {
    let mut memories = module
        .imported_memories
        .iter()
        .chain(&module.defined_memories);
    let memory = *memories.next().ok_or(LinkError::NoMemory)?;
    let others = memories.count();
    if others > 0 {
        return Err(LinkError::SeveralMemories { count: others + 1 });
    }
    if memory.memory64 {
        return Err(LinkError::Memory64);
    }
    if memory.shared {
        return Err(LinkError::SharedMemory);
    }
    Ok(memory)
}

/// Looks up what hosts call, and collects what main has to import for that.
struct Exports<'a, 'b> {
    module: &'a Module<'b>,
    functions: Vec<LegacyFunction>,
}

impl Exports<'_, '_> {
    fn start(&mut self) -> Result<Vec<usize>, LinkError> {
        let mut start = Vec::new();
        for step in Start::steps(self.module) {
            let function = match step {
                Start::Section => self.module.start,
                Start::Initialize | Start::Main | Start::MainVoid | Start::Command => {
                    self.module.exported_function(step.name())
                }
            };
            if let Some(function) = function {
                start.push(self.need(step.name(), function, &[step.signature()])?);
            }
        }
        Ok(start)
    }

    fn allocator(&mut self) -> Result<usize, LinkError> {
        let name = start::allocator(self.module).ok_or(LinkError::NoAllocator)?;
        let allocator = self.find(name, &[Signature::of_i32s(1, true)])?;
        allocator.ok_or(LinkError::NoAllocator)
    }

    fn callbacks(&mut self, abi: AbiVersion) -> Result<Vec<Option<usize>>, LinkError> {
        let mut callbacks = Vec::with_capacity(CALLBACKS.len());
        for callback in CALLBACKS {
            callbacks.push(match is_called(callback.name, abi) {
                true => self.find(callback.name, &signatures(callback))?,
                false => None,
            });
        }
        Ok(callbacks)
    }

    /// Looks up an exported function that has one of these signatures.
    fn find(
        &mut self,
        name: &'static str,
        expected: &[Signature],
    ) -> Result<Option<usize>, LinkError> {
        let function = self.module.exported_function(name);
        function
            .map(|function| self.need(name, function, expected))
            .transpose()
    }

    /// Has main import a function; an error if it has none of these signatures.
    fn need(
        &mut self,
        name: &'static str,
        function: u32,
        expected: &[Signature],
    ) -> Result<usize, LinkError> {
        let found = self.module.function_signature(function);
        let Some(signature) = found.filter(|found| expected.contains(found)).cloned() else {
            return Err(LinkError::Signature {
                function: name,
                expected: alternatives(expected),
                found: found.map_or_else(|| "a type of its own".to_owned(), Signature::to_string),
            });
        };
        self.functions.push(LegacyFunction {
            name,
            function,
            signature,
        });
        Ok(self.functions.len() - 1)
    }
}

/// Whether hosts call an export of this name: if it is one of [`CALLBACKS`], except one that 0.1.0 lacks.
pub(crate) fn is_called(export: &str, abi: AbiVersion) -> bool {
    let is_known = callback_index(export).is_some();
    is_known && (abi > AbiVersion::V0_1_0 || export != "proxy_on_foreign_function")
}

/// A module's ABI marker does not decide how many parameters its callbacks have: each export speaks for itself.
fn signatures(callback: &Callback) -> Vec<Signature> {
    let mut arities = vec![callback.params, callback.params_0_1_0];
    arities.dedup();
    let arities = arities.into_iter().map(usize::from);
    arities
        .map(|params| Signature::of_i32s(params, callback.has_result))
        .collect()
}

fn alternatives(signatures: &[Signature]) -> String {
    let quoted: Vec<String> = signatures
        .iter()
        .map(|signature| format!("`{signature}`"))
        .collect();
    quoted.join(" or ")
}

//! What the linker needs to know of a core module, read once.

use std::collections::HashMap;

use wasmparser::{
    ExternalKind, MemoryType, Parser, Payload, TypeRef, ValidPayload, Validator, WasmFeatures,
};

use crate::signature::Signature;

/// What a core module may use. Wider than what can be linked: a 64-bit or shared memory, say, has its own refusal.
const MODULE_FEATURES: WasmFeatures = WasmFeatures::WASM3;

/// A core module whose structure is valid: section order, types, indices. Function bodies are not looked at.
#[derive(Debug)]
pub(crate) struct Module<'a> {
    pub(crate) bytes: &'a [u8],
    /// By type index; `None` for a type that another module cannot declare alike.
    pub(crate) types: Vec<Option<Signature>>,
    /// By function index.
    pub(crate) imported_functions: Vec<ImportedFunction<'a>>,
    pub(crate) imported_memories: Vec<MemoryType>,
    /// Imports that are neither functions nor memories.
    pub(crate) other_imports: Vec<OtherImport<'a>>,
    /// The type index of each defined function.
    pub(crate) defined_functions: Vec<u32>,
    pub(crate) defined_memories: Vec<MemoryType>,
    pub(crate) defined_globals: u32,
    pub(crate) defined_tags: u32,
    /// In the order of the export section.
    pub(crate) exports: Vec<Export<'a>>,
    pub(crate) start: Option<u32>,
    /// The names of custom sections.
    pub(crate) custom_sections: Vec<&'a str>,
    export_by_name: HashMap<&'a str, usize>,
}

/// A function that a module imports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImportedFunction<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
    pub(crate) type_index: u32,
}

/// An import that cannot be satisfied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OtherImport<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
    /// `table`, `global`, `tag`.
    pub(crate) kind: &'static str,
}

/// An export of any kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Export<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: ExternalKind,
    pub(crate) index: u32,
}

impl<'a> Module<'a> {
    /// Reads a module and checks its structure, but not its function bodies: the engine does that anyway.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, wasmparser::Error> {
        let mut module = Self::empty(bytes);
        let mut validator = Validator::new_with_features(MODULE_FEATURES);
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            let end = matches!(validator.payload(&payload)?, ValidPayload::End(_));
            module.read(payload)?;
            if end {
                break;
            }
        }
        Ok(module)
    }

    fn empty(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            types: Vec::new(),
            imported_functions: Vec::new(),
            imported_memories: Vec::new(),
            other_imports: Vec::new(),
            defined_functions: Vec::new(),
            defined_memories: Vec::new(),
            defined_globals: 0,
            defined_tags: 0,
            exports: Vec::new(),
            start: None,
            custom_sections: Vec::new(),
            export_by_name: HashMap::new(),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most sections do not matter here"
    )]
    fn read(&mut self, payload: Payload<'a>) -> Result<(), wasmparser::Error> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    let group = group?;
                    let signature = Signature::portable(&group);
                    self.types
                        .extend(std::iter::repeat_n(signature, group.types().len()));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.read_import(import?);
                }
            }
            Payload::FunctionSection(section) => {
                for type_index in section {
                    self.defined_functions.push(type_index?);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.defined_memories.push(memory?);
                }
            }
            Payload::GlobalSection(section) => self.defined_globals = section.count(),
            Payload::TagSection(section) => self.defined_tags = section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.export_by_name.insert(export.name, self.exports.len());
                    let wasmparser::Export { name, kind, index } = export;
                    self.exports.push(Export { name, kind, index });
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::CustomSection(section) => self.custom_sections.push(section.name()),
            _ => {}
        }
        Ok(())
    }

    fn read_import(&mut self, import: wasmparser::Import<'a>) {
        let wasmparser::Import { module, name, ty } = import;
        let kind = match ty {
            TypeRef::Func(type_index) | TypeRef::FuncExact(type_index) => {
                self.imported_functions.push(ImportedFunction {
                    module,
                    name,
                    type_index,
                });
                return;
            }
            TypeRef::Memory(memory) => {
                self.imported_memories.push(memory);
                return;
            }
            TypeRef::Table(_) => "table",
            TypeRef::Global(_) => "global",
            TypeRef::Tag(_) => "tag",
        };
        self.other_imports.push(OtherImport { module, name, kind });
    }

    /// The signature of a type; `None` if it is not portable.
    pub(crate) fn signature(&self, type_index: u32) -> Option<&Signature> {
        self.types.get(type_index as usize)?.as_ref()
    }

    /// The signature of a function of this module; `None` if it is not portable.
    pub(crate) fn function_signature(&self, function: u32) -> Option<&Signature> {
        let function = function as usize;
        let type_index = match self.imported_functions.get(function) {
            Some(import) => import.type_index,
            None => *self
                .defined_functions
                .get(function - self.imported_functions.len())?,
        };
        self.signature(type_index)
    }

    /// The index of an exported function.
    pub(crate) fn exported_function(&self, name: &str) -> Option<u32> {
        let export = self.exports.get(*self.export_by_name.get(name)?)?;
        (export.kind == ExternalKind::Func).then_some(export.index)
    }
}

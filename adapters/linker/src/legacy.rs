//! The legacy module as a library of the component: its code as it was, its surroundings changed.

use std::collections::HashSet;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{DataSection, EntityType, ExportKind, ExportSection, ImportSection, RawSection};
use wasmparser::{DataSectionReader, ExternalKind, MemoryType, Parser, Payload};

use crate::error::LinkError;
use crate::module::Module;
use crate::plan::Plan;
use crate::segments::{self, Hoisted, Segment};

/// How wit-component names the main module to its libraries.
const MAIN_MODULE: &str = "__main_module__";
/// Under which name main exports the legacy module's memory.
pub(crate) const LEGACY_MEMORY_EXPORT: &str = "legacy_memory";

/// A rewritten legacy module.
#[derive(Debug)]
pub(crate) struct Library<'a> {
    pub(crate) bytes: Vec<u8>,
    /// What main has to write to the legacy memory.
    pub(crate) segments: Vec<Segment<'a>>,
    /// How many segments stayed active in the library.
    pub(crate) kept_segments: usize,
}

/// Rewrites `module`: imports come from main, memory and constant data segments are gone, the start section is an
/// export, and exports have names without a meaning to wit-component. All else is copied byte for byte.
pub(crate) fn rewrite<'a>(module: &Module<'a>, plan: &Plan<'_>) -> Result<Library<'a>, LinkError> {
    let mut rewriter = Rewriter {
        module,
        plan,
        output: wasm_encoder::Module::new(),
        imports_written: false,
        has_data_count: false,
        hoisted: Hoisted::default(),
    };
    for payload in Parser::new(0).parse_all(module.bytes) {
        rewriter.section(payload?)?;
    }
    rewriter.write_imports();
    Ok(Library {
        bytes: rewriter.output.finish(),
        kept_segments: rewriter.hoisted.kept_active,
        segments: rewriter.hoisted.segments,
    })
}

struct Rewriter<'a, 'p> {
    module: &'p Module<'a>,
    plan: &'p Plan<'p>,
    output: wasm_encoder::Module,
    imports_written: bool,
    has_data_count: bool,
    hoisted: Hoisted<'a>,
}

impl<'a> Rewriter<'a, '_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other section is copied"
    )]
    fn section(&mut self, payload: Payload<'a>) -> Result<(), LinkError> {
        match &payload {
            // Types come before imports, and custom sections may be anywhere; whatever else comes, imports must
            // have been written by then, also if the module had none.
            Payload::TypeSection(_) => {}
            Payload::CustomSection(section) if !is_kept(section.name()) => return Ok(()),
            Payload::CustomSection(_) => {}
            _ if payload.as_section().is_some() => self.write_imports(),
            _ => {}
        }
        match payload {
            Payload::ImportSection(_)
            | Payload::MemorySection(_)
            | Payload::StartSection { .. } => Ok(()),
            Payload::ExportSection(_) => {
                self.write_exports();
                Ok(())
            }
            Payload::DataCountSection { .. } => {
                self.has_data_count = true;
                self.copy(&payload)
            }
            Payload::DataSection(section) => self.write_data(section),
            _ => self.copy(&payload),
        }
    }

    fn copy(&mut self, payload: &Payload<'_>) -> Result<(), LinkError> {
        if let Some((id, range)) = payload.as_section() {
            let data = self.module.bytes.get(range).unwrap_or_default();
            self.output.section(&RawSection { id, data });
        }
        Ok(())
    }

    fn write_imports(&mut self) {
        if self.imports_written {
            return;
        }
        self.imports_written = true;
        let mut imports = ImportSection::new();
        for import in &self.plan.imports {
            let ty = EntityType::Function(import.type_index);
            imports.import(MAIN_MODULE, &import.export, ty);
        }
        imports.import(
            MAIN_MODULE,
            LEGACY_MEMORY_EXPORT,
            memory_type(&self.plan.memory),
        );
        self.output.section(&imports);
    }

    /// Exports what main calls. Other functions lose their names only: code may take a reference to a function because
    /// it is exported, and would become invalid.
    fn write_exports(&mut self) {
        let mut exports = ExportSection::new();
        let mut written = HashSet::new();
        for function in &self.plan.legacy_functions {
            exports.export(&function.export(), ExportKind::Func, function.function);
            written.insert(function.function);
        }
        for export in &self.module.exports {
            if export.kind == ExternalKind::Func && written.insert(export.index) {
                let name = format!("function {}", export.index);
                exports.export(&name, ExportKind::Func, export.index);
            }
        }
        self.output.section(&exports);
    }

    /// Where there is a count of segments, code may refer to them by index: then what moved leaves an empty passive
    /// segment, which behaves as an active one does once it has been written.
    fn write_data(&mut self, section: DataSectionReader<'a>) -> Result<(), LinkError> {
        let hoisted = segments::hoist(section.clone(), &self.plan.memory)?;
        let mut data = DataSection::new();
        for (segment, moved) in section.into_iter().zip(&hoisted.moved) {
            if !moved {
                RoundtripReencoder.parse_data(&mut data, segment?)?;
            } else if self.has_data_count {
                data.passive([]);
            }
        }
        if !data.is_empty() || self.has_data_count {
            self.output.section(&data);
        }
        self.hoisted = hoisted;
        Ok(())
    }
}

/// Sections that tools and engines read of any module stay. Those that make wit-component or another linker do
/// something do not: the result is no longer what they speak of.
fn is_kept(custom_section: &str) -> bool {
    let is_for_linkers = ["component-type", "dylink", "linking", "reloc."]
        .iter()
        .any(|prefix| custom_section.starts_with(prefix));
    !is_for_linkers
}

/// The entity type of the legacy memory, which main defines and the library imports.
pub(crate) fn memory_type(memory: &MemoryType) -> wasm_encoder::MemoryType {
    wasm_encoder::MemoryType {
        minimum: memory.initial,
        maximum: memory.maximum,
        memory64: memory.memory64,
        shared: memory.shared,
        page_size_log2: memory.page_size_log2,
    }
}

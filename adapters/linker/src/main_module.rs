//! The shim as the main module of the component: its placeholders filled in, the legacy module's memory and data
//! added, and an export for every import of the legacy module.

use std::collections::HashMap;

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataCountSection, DataSection, ElementSection,
    EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    ImportSection, MemorySection, TableSection, TagKind, TagSection, TagType, TypeSection, ValType,
};
use wasmparser::{BinaryReader, CodeSectionReader, KnownCustom, Parser, Payload};

use crate::answers;
use crate::bridge::{BridgeItems, LEGACY_MEMORY};
use crate::calls::{self, Call};
use crate::error::LinkError;
use crate::function_indices::{FunctionIndices, Renumber};
use crate::imports::{Answer, Import};
use crate::index::to_u32;
use crate::legacy::{LEGACY_MEMORY_EXPORT, memory_type};
use crate::names::Names;
use crate::plan::Plan;
use crate::segments::Segment;
use crate::shim::{Placeholder, Shim};
use crate::signature::Signature;
use crate::stub_names::StubNames;

/// How main names the legacy module.
pub(crate) const LEGACY_LIBRARY: &str = "legacy";

/// Builds the main module.
pub(crate) fn build(
    shim: &Shim,
    plan: &Plan<'_>,
    stub_names: &StubNames,
    segments: &[Segment<'_>],
) -> Result<Vec<u8>, LinkError> {
    let mut main = MainModule::new(shim, plan);
    main.add_shim()?;
    main.add_imports();
    main.add_items(stub_names, segments);
    main.fill_in_placeholders();
    main.add_answers(stub_names);
    Ok(main.finish())
}

/// The module under construction, one field per section.
struct MainModule<'a> {
    shim: &'a Shim,
    plan: &'a Plan<'a>,
    indices: FunctionIndices,
    items: BridgeItems,
    known_types: HashMap<Signature, u32>,
    type_count: u32,
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    tags: TagSection,
    globals: GlobalSection,
    exports: ExportSection,
    elements: ElementSection,
    code: CodeSection,
    data: DataSection,
    names: Names,
    custom_sections: Vec<CustomSection<'a>>,
}

impl<'a> MainModule<'a> {
    fn new(shim: &'a Shim, plan: &'a Plan<'a>) -> Self {
        let known_types = (0..).zip(&shim.types);
        Self {
            shim,
            plan,
            indices: FunctionIndices::new(shim, plan),
            items: BridgeItems {
                exit_tag: shim.defined_tags,
                exit_global: shim.defined_globals,
                stub_names: 0,
                abi_version: plan.abi.code(),
                callbacks: plan.callback_bits(),
            },
            known_types: known_types
                .filter_map(|(index, signature)| Some((signature.clone()?, index)))
                .collect(),
            type_count: to_u32(shim.types.len()),
            types: TypeSection::new(),
            imports: ImportSection::new(),
            functions: FunctionSection::new(),
            tables: TableSection::new(),
            memories: MemorySection::new(),
            tags: TagSection::new(),
            globals: GlobalSection::new(),
            exports: ExportSection::new(),
            elements: ElementSection::new(),
            code: CodeSection::new(),
            data: DataSection::new(),
            names: Names::default(),
            custom_sections: Vec::new(),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is not copied is written anew"
    )]
    fn add_shim(&mut self) -> Result<(), LinkError> {
        let bytes = &self.shim.bytes;
        let mut renumber = Renumber(&self.indices);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => {
                    renumber.parse_type_section(&mut self.types, section)?;
                }
                Payload::FunctionSection(section) => {
                    renumber.parse_function_section(&mut self.functions, section)?;
                }
                Payload::TableSection(section) => {
                    renumber.parse_table_section(&mut self.tables, section)?;
                }
                Payload::MemorySection(section) => {
                    renumber.parse_memory_section(&mut self.memories, section)?;
                }
                Payload::TagSection(section) => {
                    renumber.parse_tag_section(&mut self.tags, section)?;
                }
                Payload::GlobalSection(section) => {
                    renumber.parse_global_section(&mut self.globals, section)?;
                }
                Payload::ExportSection(section) => {
                    renumber.parse_export_section(&mut self.exports, section)?;
                }
                Payload::ElementSection(section) => {
                    renumber.parse_element_section(&mut self.elements, section)?;
                }
                Payload::CodeSectionStart { range, .. } => {
                    let body = bytes.get(range.clone()).unwrap_or_default();
                    let section = CodeSectionReader::new(BinaryReader::new(body, range.start))?;
                    renumber.parse_code_section(&mut self.code, section)?;
                }
                Payload::DataSection(section) => {
                    renumber.parse_data_section(&mut self.data, section)?;
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Name(names) => self.names.add_shim(names, &self.indices),
                    // Addresses in debug information are those of the code before it was renumbered.
                    _ if section.name().starts_with(".debug_") => {}
                    _ => self.custom_sections.push(CustomSection {
                        name: section.name().into(),
                        data: section.data().into(),
                    }),
                },
                _ => {}
            }
        }
        Ok(())
    }

    fn add_imports(&mut self) {
        for import in self
            .shim
            .imports
            .iter()
            .filter(|import| import.placeholder.is_none())
        {
            let ty = EntityType::Function(import.type_index);
            self.imports.import(&import.module, &import.name, ty);
        }
        for (number, function) in self.plan.legacy_functions.iter().enumerate() {
            let ty = EntityType::Function(self.type_index(&function.signature));
            self.imports.import(LEGACY_LIBRARY, &function.export(), ty);
            self.names.add(
                self.indices.legacy(number),
                format!("legacy {}", function.name),
            );
        }
    }

    fn add_items(&mut self, stub_names: &StubNames, segments: &[Segment<'_>]) {
        self.memories.memory(memory_type(&self.plan.memory));
        self.exports
            .export(LEGACY_MEMORY_EXPORT, ExportKind::Memory, LEGACY_MEMORY);
        let exit_code = Signature::of_i32s(1, false);
        let func_type_idx = self.type_index(&exit_code);
        self.tags.tag(TagType {
            kind: TagKind::Exception,
            func_type_idx,
        });
        let exit = GlobalType {
            val_type: ValType::I32,
            mutable: true,
            shared: false,
        };
        self.globals.global(exit, &ConstExpr::i32_const(0));
        for segment in segments {
            let offset = ConstExpr::i32_const(segment.offset.cast_signed());
            self.data
                .active(LEGACY_MEMORY, &offset, segment.data.iter().copied());
        }
        self.items.stub_names = self.data.len();
        self.data.passive(stub_names.bytes().iter().copied());
    }

    fn fill_in_placeholders(&mut self) {
        for (number, import) in self.shim.imports.iter().enumerate() {
            let Some(placeholder) = import.placeholder else {
                continue;
            };
            let body = self.placeholder_body(placeholder);
            self.functions.function(import.type_index);
            self.code.function(&body);
            if let Some(index) = self.indices.of_shim(to_u32(number)) {
                let name = format!("{} {}", import.module, import.name);
                self.names.add(index, name);
            }
        }
    }

    fn placeholder_body(&self, placeholder: Placeholder) -> Function {
        let calls = |functions: &[usize]| -> Vec<Call<'_>> {
            let functions = functions.iter().filter_map(|number| {
                let function = self.plan.legacy_functions.get(*number)?;
                Some(Call {
                    function: self.indices.legacy(*number),
                    signature: &function.signature,
                })
            });
            functions.collect()
        };
        let (calls, default) = match placeholder {
            Placeholder::Bridge(bridge) => return bridge.body(&self.items),
            Placeholder::Start => (calls(&self.plan.start), 0),
            Placeholder::Allocate => (calls(&[self.plan.allocator]), 0),
            Placeholder::Callback(number, callback) => {
                let exported = self.plan.callbacks.get(number).copied().flatten();
                (calls(exported.as_slice()), callback.default)
            }
        };
        calls::body(&placeholder.signature(), &calls, default, &self.items)
    }

    fn add_answers(&mut self, stub_names: &StubNames) {
        let mut next = self.indices.first_answer();
        for (number, import) in self.plan.imports.iter().enumerate() {
            let body = match import.answer {
                Answer::Hostcall(function) => {
                    // The shim exports it under this name already, unless this is another import of the same.
                    if import.is_duplicate {
                        self.export_answer(import, self.of_shim(function));
                    }
                    continue;
                }
                Answer::Exit => answers::exit(self.items.exit_tag),
                Answer::Adapted(adaptation) => {
                    answers::adapted(&adaptation, self.of_shim(adaptation.function))
                }
                Answer::Stub { answer, .. } => {
                    let (offset, len) = stub_names.range(number);
                    answers::stub(self.of_shim(self.shim.report_stub), offset, len, answer)
                }
            };
            let ty = self.type_index(import.signature);
            self.functions.function(ty);
            self.code.function(&body);
            self.export_answer(import, next);
            self.names.add(next, import.full_name());
            next += 1;
        }
    }

    fn export_answer(&mut self, import: &Import<'_>, function: u32) {
        self.exports
            .export(&import.export, ExportKind::Func, function);
    }

    /// Only called with indices that the shim's own sections gave.
    fn of_shim(&self, function: u32) -> u32 {
        self.indices.of_shim(function).unwrap_or(function)
    }

    fn type_index(&mut self, signature: &Signature) -> u32 {
        if let Some(index) = self.known_types.get(signature) {
            return *index;
        }
        let index = self.type_count;
        let (params, results) = (signature.params(), signature.results());
        self.types
            .ty()
            .function(params.iter().copied(), results.iter().copied());
        self.type_count += 1;
        self.known_types.insert(signature.clone(), index);
        index
    }

    fn finish(self) -> Vec<u8> {
        let mut module = wasm_encoder::Module::new();
        module
            .section(&self.types)
            .section(&self.imports)
            .section(&self.functions)
            .section(&self.tables)
            .section(&self.memories)
            .section(&self.tags)
            .section(&self.globals)
            .section(&self.exports)
            .section(&self.elements)
            .section(&DataCountSection {
                count: self.data.len(),
            })
            .section(&self.code)
            .section(&self.data);
        module.section(&self.names.section("proxy-wasi shim"));
        for section in &self.custom_sections {
            module.section(section);
        }
        module.finish()
    }
}

//! A module between a component's callbacks and the host, for wasmtime's sake.
//!
//! To call a lifted function, wasmtime 48 looks up the core function behind it, and if the instance that exports it
//! also defines it, makes its function reference anew: some 900 instructions a call. An instance that *imports* the
//! function has the reference at hand. So a module without code imports what the component lifts and exports it
//! again, and the component lifts it from there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use wasm_encoder::reencode::{Reencode as _, ReencodeComponent as _, RoundtripReencoder};
use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ComponentSectionId, EntityType, ExportKind,
    ExportSection, ImportSection, InstanceSection, Module, ModuleArg, ModuleSection, RawSection,
    TypeSection,
};
use wasmparser::types::Types;
use wasmparser::{
    BinaryReader, CanonicalFunction, ComponentAlias, ComponentAliasSectionReader, ExternalKind,
    Parser, Payload, ValidPayload, Validator,
};

use crate::binary::{FEATURES, Nesting};

/// The same component with its callbacks exported a second time, and lifted from there. It behaves as before.
///
/// `None` if the component is not valid, lifts nothing, or is built in another order than wit-component builds in:
/// take it as it is then. Function bodies are not looked at.
#[must_use]
pub fn reexport_callbacks(component: &[u8]) -> Option<Vec<u8>> {
    let (outline, types) = Outline::read(component)?;
    outline.with_reexports(component, &types)
}

/// A component's sections, without what is nested in them.
#[derive(Default)]
struct Outline {
    sections: Vec<Section>,
    /// The core functions that are exports of core instances, by their indices.
    exports: BTreeMap<u32, CoreExport>,
    lifted: BTreeSet<u32>,
    /// How many core functions there are.
    functions: u32,
}

struct Section {
    id: u8,
    bytes: Range<usize>,
}

/// An alias of a core instance's function.
struct CoreExport {
    /// The place of its section.
    section: usize,
    instance: u32,
    name: String,
}

impl Outline {
    /// Reads a component, and validates it.
    fn read(component: &[u8]) -> Option<(Self, Types)> {
        let mut validator = Validator::new_with_features(FEATURES);
        let (mut outline, mut nesting) = (Self::default(), Nesting::default());
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.ok()?;
            let valid = validator.payload(&payload).ok()?;
            if nesting.is_own(&payload) {
                outline.take(&payload)?;
                if let ValidPayload::End(types) = valid {
                    return Some((outline, types));
                }
            }
        }
        None
    }

    fn take(&mut self, payload: &Payload<'_>) -> Option<()> {
        if let Payload::ComponentAliasSection(section) = payload {
            for alias in section.clone() {
                self.take_alias(&alias.ok()?);
            }
        }
        if let Payload::ComponentCanonicalSection(section) = payload {
            for function in section.clone() {
                if let CanonicalFunction::Lift {
                    core_func_index, ..
                } = function.ok()?
                {
                    self.lifted.insert(core_func_index);
                } else {
                    self.functions += 1;
                }
            }
        }
        if let Some((id, bytes)) = payload.as_section() {
            self.sections.push(Section { id, bytes });
        }
        Some(())
    }

    fn take_alias(&mut self, alias: &ComponentAlias<'_>) {
        if let ComponentAlias::CoreInstanceExport {
            kind: ExternalKind::Func | ExternalKind::FuncExact,
            instance_index: instance,
            name,
        } = *alias
        {
            let export = CoreExport {
                section: self.sections.len(),
                instance,
                name: name.to_owned(),
            };
            self.exports.insert(self.functions, export);
            self.functions += 1;
        }
    }

    fn callbacks(&self) -> Option<Callbacks<'_>> {
        let exports = self
            .exports
            .iter()
            .filter(|(function, _)| self.lifted.contains(function));
        let (_, first) = exports.clone().next()?;
        let functions = exports.map(|(function, export)| {
            (
                (export.instance, export.name.as_str()),
                (*function, function.to_string()),
            )
        });
        Some(Callbacks {
            before: first.section,
            functions: functions.collect(),
        })
    }

    fn with_reexports(&self, component: &[u8], types: &Types) -> Option<Vec<u8>> {
        let callbacks = self.callbacks()?;
        let later = self.sections.get(callbacks.before..)?;
        let is = |id: ComponentSectionId| move |section: &Section| section.id == id as u8;
        if later.iter().any(is(ComponentSectionId::CoreModule))
            || later.iter().any(is(ComponentSectionId::CoreInstance))
        {
            // What comes later would have another index than before.
            return None;
        }
        let reexporting = u32::try_from(types.core_instance_count()).ok()?;
        let mut rewritten = Component::new();
        for (at, section) in self.sections.iter().enumerate() {
            if at == callbacks.before {
                let module = u32::try_from(types.module_count()).ok()?;
                rewritten.section(&ModuleSection(&callbacks.module(types)?));
                rewritten.section(InstanceSection::new().instantiate(module, callbacks.sources()));
            }
            let data = component.get(section.bytes.clone())?;
            if at >= callbacks.before && is(ComponentSectionId::Alias)(section) {
                let reader = BinaryReader::new(data, section.bytes.start);
                let section = ComponentAliasSectionReader::new(reader).ok()?;
                rewritten.section(&callbacks.realiased(section, reexporting)?);
            } else {
                rewritten.section(&RawSection {
                    id: section.id,
                    data,
                });
            }
        }
        Some(rewritten.finish())
    }
}

/// The lifted functions that are exports of core instances.
struct Callbacks<'a> {
    /// The place of the section that first names one.
    before: usize,
    /// Their indices, and how the module exports them, by instance and name.
    functions: BTreeMap<(u32, &'a str), (u32, String)>,
}

impl Callbacks<'_> {
    /// The module that imports them, from modules called like the instances' indices, and exports them again.
    fn module(&self, types: &Types) -> Option<Module> {
        let mut signatures = TypeSection::new();
        let mut imports = ImportSection::new();
        let mut exports = ExportSection::new();
        for (index, ((instance, name), (function, export))) in (0..).zip(&self.functions) {
            let id = types.as_ref().core_function_at(*function);
            let signature = types.as_ref().get(id)?.unwrap_func();
            signatures
                .ty()
                .func_type(&RoundtripReencoder.func_type(signature.clone()).ok()?);
            imports.import(&instance.to_string(), name, EntityType::Function(index));
            exports.export(export, ExportKind::Func, index);
        }
        let mut module = Module::new();
        module
            .section(&signatures)
            .section(&imports)
            .section(&exports);
        Some(module)
    }

    /// What the module is instantiated with.
    fn sources(&self) -> Vec<(String, ModuleArg)> {
        let instances: BTreeSet<u32> = self
            .functions
            .keys()
            .map(|(instance, _)| *instance)
            .collect();
        let source = |instance: u32| (instance.to_string(), ModuleArg::Instance(instance));
        instances.into_iter().map(source).collect()
    }

    /// A section of aliases, with the lifted functions taken from instance `reexporting`.
    fn realiased(
        &self,
        section: ComponentAliasSectionReader<'_>,
        reexporting: u32,
    ) -> Option<ComponentAliasSection> {
        let mut aliases = ComponentAliasSection::new();
        for alias in section {
            let mut alias = RoundtripReencoder.component_alias(alias.ok()?).ok()?;
            if let Alias::CoreInstanceExport {
                instance,
                kind: ExportKind::Func,
                name,
            } = &mut alias
                && let Some((_, export)) = self.functions.get(&(*instance, *name))
            {
                (*instance, *name) = (reexporting, export);
            }
            aliases.alias(alias);
        }
        Some(aliases)
    }
}

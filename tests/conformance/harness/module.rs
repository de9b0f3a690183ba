//! Legacy modules of many shapes, made of one: its exports under other names, in another order, or not at all.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use proxy_wasi_abi::callback::CALLBACKS;
use proxy_wasi_test_support::SCRIPTED_LEGACY;
use wasm_encoder::{ExportKind, ExportSection, RawSection};
use wasmparser::{ExternalKind, Parser, Payload};

/// A version of the ABI, as its marker says it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Module {
    /// Names in the scripted module, and what they are exported as, in order.
    exports: Vec<(String, String)>,
}

impl Module {
    /// A module of ABI 0.2.1 with every callback, and `malloc`.
    pub(crate) fn new() -> Self {
        Self::of("0_2_1")
    }

    /// A module of a version with every callback in that version's form, and `malloc`.
    pub(crate) fn of(version: &str) -> Self {
        let mut module = Self {
            exports: Vec::new(),
        }
        .marker(version)
        .export("any_malloc", "malloc");
        let params = if version == "0_1_0" { 2 } else { 3 };
        for callback in CALLBACKS {
            let name = callback.name;
            let from = match name {
                "proxy_on_request_headers" => format!("any_request_headers_{params}"),
                "proxy_on_response_headers" => format!("any_response_headers_{params}"),
                name => name.to_owned(),
            };
            module = module.export(&from, name);
        }
        module
    }

    /// Adds a marker behind the exports so far.
    pub(crate) fn marker(self, version: &str) -> Self {
        let (from, name) = (
            format!("any_marker_{version}"),
            format!("proxy_abi_version_{version}"),
        );
        self.export(&from, &name)
    }

    /// Exports a function of the scripted module behind the exports so far.
    pub(crate) fn export(mut self, from: &str, name: &str) -> Self {
        self.exports.push((from.to_owned(), name.to_owned()));
        self
    }

    /// Leaves an export out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        let before = self.exports.len();
        self.exports.retain(|(_, other)| other != name);
        assert!(self.exports.len() < before, "there was no export `{name}`");
        self
    }

    /// Leaves all callbacks of streams out but these.
    pub(crate) fn only(mut self, callbacks: &[&str]) -> Self {
        let start = ["context_create", "vm_start", "configure"];
        self.exports.retain(|(_, name)| {
            name.strip_prefix("proxy_on_")
                .is_none_or(|name| callbacks.contains(&name) || start.contains(&name))
        });
        self
    }

    /// The module's file.
    pub(crate) fn file(&self) -> PathBuf {
        static FILES: Mutex<Option<HashMap<Module, PathBuf>>> = Mutex::new(None);
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        let files = files.get_or_insert_default();
        let number = files.len();
        files
            .entry(self.clone())
            .or_insert_with(|| {
                let directory = super::case::directory().join("modules");
                fs::create_dir_all(&directory).unwrap();
                let path = directory.join(format!("{}-{number}.wasm", std::process::id()));
                fs::write(&path, self.bytes()).unwrap();
                path
            })
            .clone()
    }

    fn bytes(&self) -> Vec<u8> {
        let scripted = fs::read(SCRIPTED_LEGACY).unwrap();
        let mut module = wasm_encoder::Module::new();
        for payload in Parser::new(0).parse_all(&scripted) {
            let payload = payload.unwrap();
            if let Payload::ExportSection(exports) = &payload {
                module.section(&self.export_section(exports.clone()));
            } else if let Some((id, range)) = payload.as_section() {
                let data = &scripted[range];
                module.section(&RawSection { id, data });
            }
        }
        module.finish()
    }

    fn export_section(&self, exports: wasmparser::ExportSectionReader<'_>) -> ExportSection {
        let mut section = ExportSection::new();
        let mut functions = HashMap::new();
        for export in exports {
            let export = export.unwrap();
            match export.kind {
                ExternalKind::Memory => {
                    section.export(export.name, ExportKind::Memory, export.index);
                }
                ExternalKind::Func => {
                    functions.insert(export.name, export.index);
                }
                ExternalKind::Table
                | ExternalKind::Global
                | ExternalKind::Tag
                | ExternalKind::FuncExact => {}
            }
        }
        for (from, name) in &self.exports {
            let index = functions
                .get(from.as_str())
                .unwrap_or_else(|| panic!("the scripted module has no `{from}`"));
            section.export(name, ExportKind::Func, *index);
        }
        section
    }
}

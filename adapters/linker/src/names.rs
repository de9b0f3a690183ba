//! The `name` section of main, so that traps and profiles show whose functions are on the stack.

use std::collections::BTreeMap;

use wasm_encoder::{NameMap, NameSection};
use wasmparser::{Name, NameSectionReader};

use crate::function_indices::FunctionIndices;

/// Names by function index in main.
#[derive(Debug, Default)]
pub(crate) struct Names {
    functions: BTreeMap<u32, String>,
}

impl Names {
    pub(crate) fn add(&mut self, function: u32, name: String) {
        self.functions.insert(function, name);
    }

    /// Takes over the names of the shim's functions. A damaged name section costs names, nothing else.
    pub(crate) fn add_shim(&mut self, section: NameSectionReader<'_>, indices: &FunctionIndices) {
        for subsection in section.into_iter().map_while(Result::ok) {
            let Name::Function(names) = subsection else {
                continue;
            };
            for naming in names.into_iter().map_while(Result::ok) {
                if let Some(index) = indices.of_shim(naming.index) {
                    self.add(index, naming.name.to_owned());
                }
            }
        }
    }

    pub(crate) fn section(&self, module: &str) -> NameSection {
        let mut functions = NameMap::new();
        for (index, name) in &self.functions {
            functions.append(*index, name);
        }
        let mut section = NameSection::new();
        section.module(module);
        section.functions(&functions);
        section
    }
}

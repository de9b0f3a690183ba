//! Looks into core modules and the components that they became.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

use wasmparser::{Parser, Payload};

/// The core modules that a component starts with: the completed shim, and the rewritten legacy module.
pub(crate) fn main_and_library(component: &[u8]) -> [&[u8]; 2] {
    let mut modules = Parser::new(0).parse_all(component).filter_map(|payload| {
        let Payload::ModuleSection {
            unchecked_range, ..
        } = payload.expect("component parses")
        else {
            return None;
        };
        Some(&component[unchecked_range])
    });
    [
        modules.next().expect("main module"),
        modules.next().expect("legacy module"),
    ]
}

/// The contents of a custom section.
pub(crate) fn custom_section<'a>(module: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut found = None;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload.expect("module parses")
            && section.name() == name
        {
            found = Some(section.data());
        }
    }
    found
}

//! The `producers` section: by what a binary was made.

use std::collections::HashSet;

use wasm_encoder::{ComponentSection, ProducersField, ProducersSection};
use wasmparser::{KnownCustom, Parser, Payload, ProducersSectionReader};

use crate::binary::Nesting;

/// How components name what linked them.
pub(crate) const PRODUCT: &str = "proxy-wasi";

/// A tool's signature in a `producers` section.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// The tool's name, such as `rustc`.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
}

/// Reads all signatures in a module, or in a component and the modules within it. A damaged section has none.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Producer>, wasmparser::Error> {
    let mut producers = Vec::new();
    let mut known = HashSet::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::CustomSection(section) = payload? else {
            continue;
        };
        let KnownCustom::Producers(fields) = section.as_known() else {
            continue;
        };
        for field in fields.into_iter().map_while(Result::ok) {
            for value in field.values.into_iter().map_while(Result::ok) {
                let producer = Producer {
                    field: field.name.to_owned(),
                    name: value.name.to_owned(),
                    version: value.version.to_owned(),
                };
                if known.insert(producer.clone()) {
                    producers.push(producer);
                }
            }
        }
    }
    Ok(producers)
}

/// Names this release among the tools that processed a component, in the component's own producers section.
pub(crate) fn stamp(mut component: Vec<u8>) -> Result<Vec<u8>, wasmparser::Error> {
    let mut processed_by = ProducersField::new();
    if let Some((section, start)) = own_section(&component)? {
        // There should be one such section, so ours takes its place and repeats what it says. wit-component writes
        // one field, and writes the section last.
        for field in section {
            for tool in field?.values {
                let tool = tool?;
                processed_by.value(tool.name, tool.version);
            }
        }
        component.truncate(start);
    }
    processed_by.value(PRODUCT, env!("CARGO_PKG_VERSION"));
    let mut section = ProducersSection::new();
    section.field("processed-by", &processed_by);
    section.append_to_component(&mut component);
    Ok(component)
}

/// The producers section of a component, not of a module within it, and where the section begins.
fn own_section(
    component: &[u8],
) -> Result<Option<(ProducersSectionReader<'_>, usize)>, wasmparser::Error> {
    let mut nesting = Nesting::default();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if nesting.is_own(&payload)
            && let Payload::CustomSection(section) = payload
            && let KnownCustom::Producers(producers) = section.as_known()
        {
            // Before a section's contents stand its id, one byte, and its size, as short as it gets.
            let size = section.range().len();
            let header = 1 + size.checked_ilog2().unwrap_or(0) as usize / 7 + 1;
            let start = section.range().start.saturating_sub(header);
            return Ok(Some((producers, start)));
        }
    }
    Ok(None)
}

//! Where a file's bytes are.

use wasmparser::{Parser, Payload};

/// Bytes in a file and in the sections of its modules, those within a component included.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sizes {
    /// Bytes in the whole file.
    pub file: usize,
    /// Bytes in code sections.
    pub code: usize,
    /// Bytes in data sections.
    pub data: usize,
    /// Bytes in names and debug information, which `wasm-tools strip` would remove.
    pub debug: usize,
}

impl Sizes {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other sections are not counted apart"
    )]
    pub(super) fn of(bytes: &[u8]) -> Result<Self, wasmparser::Error> {
        let mut sizes = Self {
            file: bytes.len(),
            ..Self::default()
        };
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            let Some((_, range)) = payload.as_section() else {
                continue;
            };
            let part = match &payload {
                Payload::CodeSectionStart { .. } => &mut sizes.code,
                Payload::DataSection(_) => &mut sizes.data,
                Payload::CustomSection(section) if is_debug(section.name()) => &mut sizes.debug,
                _ => continue,
            };
            *part += range.len();
        }
        Ok(sizes)
    }
}

fn is_debug(section: &str) -> bool {
    section == "name" || section == "component-name" || section.starts_with(".debug_")
}

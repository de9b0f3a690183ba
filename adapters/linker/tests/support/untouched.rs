//! What linking must not change: a module's code, and the bytes that its data segments write.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

use std::collections::BTreeMap;

use wasmparser::{DataKind, Operator, Parser, Payload};

/// The contents of the code section.
pub(crate) fn code(module: &[u8]) -> &[u8] {
    let mut code = &module[..0];
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionStart { range, .. } = payload.expect("module parses") {
            code = &module[range];
        }
    }
    code
}

/// What active segments with constant offsets write to a memory, byte by byte, zeros left out.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Image(BTreeMap<u64, u8>);

impl Image {
    /// Adds what a module's segments write to memory `index`.
    pub(crate) fn write(&mut self, module: &[u8], index: u32) {
        for payload in Parser::new(0).parse_all(module) {
            let Payload::DataSection(section) = payload.expect("module parses") else {
                continue;
            };
            for data in section {
                let data = data.expect("segment parses");
                let DataKind::Active {
                    memory_index,
                    offset_expr,
                } = data.kind
                else {
                    continue;
                };
                let mut operators = offset_expr.get_operators_reader();
                let Operator::I32Const { value } = operators.read().expect("offset parses") else {
                    continue;
                };
                if memory_index == index {
                    for (at, byte) in (u64::from(value.cast_unsigned())..).zip(data.data) {
                        self.0.insert(at, *byte);
                    }
                }
            }
        }
        self.0.retain(|_, byte| *byte != 0);
    }
}

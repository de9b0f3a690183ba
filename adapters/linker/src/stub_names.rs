//! The table of stub names: a passive data segment of main, from which stubs report and `stub-name` copies.

use std::collections::HashMap;

use crate::imports::{Answer, Import};
use crate::index::to_u32;

/// The names of all stubs, one after the other.
#[derive(Debug, Default)]
pub(crate) struct StubNames {
    bytes: Vec<u8>,
    /// By function index in the legacy module: offset and length. Empty for what is no stub.
    ranges: Vec<(u32, u32)>,
}

impl StubNames {
    pub(crate) fn new(imports: &[Import<'_>]) -> Self {
        let mut table = Self::default();
        let mut known = HashMap::new();
        for import in imports {
            let range = match import.answer {
                Answer::Stub { .. } => *known
                    .entry((import.module, import.name))
                    .or_insert_with(|| table.push(&import.full_name())),
                Answer::Hostcall(_) | Answer::Adapted(_) | Answer::Exit => (0, 0),
            };
            table.ranges.push(range);
        }
        table
    }

    fn push(&mut self, name: &str) -> (u32, u32) {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(name.as_bytes());
        (to_u32(offset), to_u32(name.len()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the name of an import's stub lies, as offset and length.
    pub(crate) fn range(&self, import: usize) -> (u32, u32) {
        self.ranges.get(import).copied().unwrap_or_default()
    }
}

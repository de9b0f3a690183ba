//! Data segments of the legacy module: which move into main, and how they are written there.
//!
//! The legacy memory belongs to main, and an engine can initialise a memory copy-on-write only from active segments
//! of the module that defines it. So every active segment with a constant offset moves. A segment that does not, or
//! that lies outside the memory, would cost all of main its copy-on-write image: it stays behind.

use std::borrow::Cow;

use wasmparser::{DataKind, DataSectionReader, MemoryType, Operator};

const WASM_PAGE_BYTES: u64 = 64 * 1024;
/// Neighbours up to this many bytes apart become one segment. Go writes tens of thousands of them, most a few bytes
/// apart, and engines spend time on each.
const MAX_GAP_BYTES: u64 = 4096;
/// What all gaps together may add to the component.
const MAX_FILL_BYTES: u64 = 1024 * 1024;

/// An active segment on its way into main.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Segment<'a> {
    pub(crate) offset: u32,
    pub(crate) data: Cow<'a, [u8]>,
}

impl Segment<'_> {
    fn end(&self) -> u64 {
        u64::from(self.offset) + self.data.len() as u64
    }
}

/// What becomes of a module's data segments.
#[derive(Debug, Default)]
pub(crate) struct Hoisted<'a> {
    /// In the order of the data section.
    pub(crate) segments: Vec<Segment<'a>>,
    /// By segment index: whether it is among `segments`.
    pub(crate) moved: Vec<bool>,
    /// How many active segments stay where they are.
    pub(crate) kept_active: usize,
}

/// Picks the segments that move into main.
pub(crate) fn hoist<'a>(
    section: DataSectionReader<'a>,
    memory: &MemoryType,
) -> Result<Hoisted<'a>, wasmparser::Error> {
    let memory_bytes = memory.initial.saturating_mul(WASM_PAGE_BYTES);
    let mut hoisted = Hoisted::default();
    // A later segment overwrites an earlier one where they overlap, and main's are written before the legacy
    // module's: behind a segment that stays for its offset, all stay.
    let mut order_is_known = true;
    for data in section {
        let data = data?;
        let mut moves = false;
        if let DataKind::Active { offset_expr, .. } = &data.kind {
            match constant(offset_expr)? {
                Some(offset) if order_is_known => {
                    let segment = Segment {
                        offset,
                        data: Cow::Borrowed(data.data),
                    };
                    moves = segment.end() <= memory_bytes;
                    if moves {
                        hoisted.segments.push(segment);
                    }
                }
                _ => order_is_known = false,
            }
            hoisted.kept_active += usize::from(!moves);
        }
        hoisted.moved.push(moves);
    }
    Ok(hoisted)
}

/// The value of an offset expression that is one `i32.const`.
fn constant(offset: &wasmparser::ConstExpr<'_>) -> Result<Option<u32>, wasmparser::Error> {
    let mut operators = offset.get_operators_reader();
    let Operator::I32Const { value } = operators.read()? else {
        return Ok(None);
    };
    let is_all = matches!(operators.read()?, Operator::End);
    Ok(is_all.then_some(value.cast_unsigned()))
}

/// Joins segments that are near each other. What the memory holds afterwards is the same.
pub(crate) fn merge(mut segments: Vec<Segment<'_>>) -> Vec<Segment<'_>> {
    segments.retain(|segment| !segment.data.is_empty());
    // Order matters only where segments overlap, and where they do, a filled gap could also overwrite bytes.
    let mut sorted = segments.clone();
    sorted.sort_by_key(|segment| segment.offset);
    if sorted.is_sorted_by(|a, b| a.end() <= u64::from(b.offset)) {
        join(sorted)
    } else {
        segments
    }
}

fn join(segments: Vec<Segment<'_>>) -> Vec<Segment<'_>> {
    let mut joined: Vec<Segment<'_>> = Vec::new();
    let mut filled = 0;
    for segment in segments {
        if let Some(last) = joined.last_mut() {
            let gap = u64::from(segment.offset) - last.end();
            if gap <= MAX_GAP_BYTES && filled + gap <= MAX_FILL_BYTES {
                filled += gap;
                let data = last.data.to_mut();
                data.extend((0..gap).map(|_| 0));
                data.extend_from_slice(&segment.data);
                continue;
            }
        }
        joined.push(segment);
    }
    joined
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// The bytes that segments leave in memory, zeros left out.
    fn image(segments: &[Segment<'_>]) -> BTreeMap<u64, u8> {
        let mut image = BTreeMap::new();
        for segment in segments {
            image.extend((u64::from(segment.offset)..).zip(segment.data.iter().copied()));
        }
        image.retain(|_, byte| *byte != 0);
        image
    }

    fn segment(offset: u32, data: &[u8]) -> Segment<'_> {
        Segment {
            offset,
            data: data.into(),
        }
    }

    proptest! {
        #[test]
        fn merging_leaves_the_same_bytes(
            writes in vec((0..20_000_u32, vec(any::<u8>(), 0..60)), 0..12)
        ) {
            let segments: Vec<_> =
                writes.iter().map(|(offset, data)| segment(*offset, data)).collect();
            prop_assert_eq!(image(&merge(segments.clone())), image(&segments));
        }
    }

    #[test]
    fn gaps_add_a_bounded_number_of_bytes() {
        let segments: Vec<_> = (0..2000).map(|at| segment(at * 4000, b"x")).collect();
        let before = segments.len() as u64;
        let merged = merge(segments);
        let after: u64 = merged.iter().map(|segment| segment.data.len() as u64).sum();
        assert!(merged.len() > 1);
        assert!(after - before <= MAX_FILL_BYTES, "{after}");
        assert!(after - before > MAX_FILL_BYTES - MAX_GAP_BYTES, "{after}");
    }
}

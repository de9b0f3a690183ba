//! The live streams of a VM, by stream context.

use std::cell::Cell;
use std::rc::Rc;

use super::access::StreamAccess;

/// Bits of a stream context that hold its slot; the generation is above them.
const INDEX_BITS: u32 = 24;
/// Generations wrap after this many uses of a slot, which keeps stream contexts below 2^53.
const GENERATIONS: u64 = 1 << 29;

/// A live stream as one plugin sees it.
pub(crate) struct StreamEntry {
    pub(crate) access: Rc<dyn StreamAccess>,
    /// The plugin's position in the stream's filter chain.
    pub(crate) filter: usize,
    /// It is among the streams that the running callback has touched.
    pub(super) touched: Cell<bool>,
}

impl StreamEntry {
    pub(crate) fn new(access: Rc<dyn StreamAccess>, filter: usize) -> Self {
        Self {
            access,
            filter,
            touched: Cell::new(false),
        }
    }
}

struct Slot {
    generation: u64,
    entry: Option<StreamEntry>,
}

/// Live streams in slots that are used again, each time under another generation: a plugin that keeps a stream context
/// too long finds nothing instead of somebody else's stream.
#[derive(Default)]
pub(crate) struct StreamTable {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

impl StreamTable {
    /// Adds a stream and returns its context, or nothing when the VM has more live streams than contexts can name.
    pub(crate) fn insert(&mut self, entry: StreamEntry) -> Option<u64> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.slots.len() < 1 << INDEX_BITS => {
                // Generations start at 1: no context is 0.
                self.slots.push(Slot {
                    generation: 1,
                    entry: None,
                });
                self.slots.len() - 1
            }
            None => return None,
        };
        let slot = self.slots.get_mut(index)?;
        slot.entry = Some(entry);
        Some(slot.generation << INDEX_BITS | index as u64)
    }

    /// Whether no stream lives.
    pub(crate) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    #[inline]
    pub(crate) fn get(&self, context: u64) -> Option<&StreamEntry> {
        let (index, generation) = split(context);
        let slot = self.slots.get(index)?;
        if slot.generation == generation {
            slot.entry.as_ref()
        } else {
            None
        }
    }

    pub(crate) fn remove(&mut self, context: u64) -> Option<StreamEntry> {
        let (index, generation) = split(context);
        let slot = self
            .slots
            .get_mut(index)
            .filter(|slot| slot.generation == generation)?;
        let entry = slot.entry.take()?;
        slot.generation = slot.generation % (GENERATIONS - 1) + 1;
        self.free.push(index);
        Some(entry)
    }

    /// Takes all live streams out.
    pub(crate) fn drain(&mut self) -> Vec<StreamEntry> {
        self.free.clear();
        std::mem::take(&mut self.slots)
            .into_iter()
            .filter_map(|slot| slot.entry)
            .collect()
    }
}

#[inline]
fn split(context: u64) -> (usize, u64) {
    let index = (context & ((1 << INDEX_BITS) - 1)) as usize;
    (index, context >> INDEX_BITS)
}

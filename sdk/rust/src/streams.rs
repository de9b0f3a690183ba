//! Where a root context keeps its streams.

use std::collections::BTreeMap;

/// Slots that are addressed directly. A host that numbers streams otherwise than ours costs at most these.
const MAX_SLOTS: usize = 1 << 14;

/// The part of a stream context that counts live streams; the rest tells successive users of a slot apart.
const INDEX_MASK: u64 = (1 << 24) - 1;

/// The streams of one root context by stream context.
///
/// proxy-wasi numbers streams `generation << 24 | index` with the smallest free index, so the index is a place in a
/// list and nothing needs to be hashed. The contract does not promise that: a stream that finds its slot taken, or
/// whose slot would be far out, lives in a map.
#[derive(Debug)]
pub(crate) struct StreamTable<T> {
    slots: Vec<Slot<T>>,
    others: BTreeMap<u64, T>,
}

#[derive(Debug)]
struct Slot<T> {
    /// Means nothing while there is no stream.
    context: u64,
    stream: Option<T>,
}

impl<T> StreamTable<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            others: BTreeMap::new(),
        }
    }

    /// Returns the stream of `context`, made by `make` if this is the first time that it is asked for.
    pub(crate) fn get_or_insert_with(&mut self, context: u64, make: impl FnOnce() -> T) -> &mut T {
        let Some(index) = slot_index(context) else {
            return self.others.entry(context).or_insert_with(make);
        };
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || Slot {
                context: 0,
                stream: None,
            });
        }
        match self.slots.get_mut(index) {
            Some(slot) if slot.belongs_to(context) => slot.stream.get_or_insert_with(make),
            Some(slot) if slot.stream.is_none() && !self.others.contains_key(&context) => {
                slot.context = context;
                slot.stream.insert(make())
            }
            _ => self.others.entry(context).or_insert_with(make),
        }
    }

    /// Returns the stream of `context`, if there is one.
    pub(crate) fn get_mut(&mut self, context: u64) -> Option<&mut T> {
        match slot_index(context).and_then(|index| self.slots.get_mut(index)) {
            Some(slot) if slot.belongs_to(context) => slot.stream.as_mut(),
            _ => self.others.get_mut(&context),
        }
    }

    /// Takes the stream of `context` out, if there is one.
    pub(crate) fn remove(&mut self, context: u64) -> Option<T> {
        match slot_index(context).and_then(|index| self.slots.get_mut(index)) {
            Some(slot) if slot.belongs_to(context) => slot.stream.take(),
            _ => self.others.remove(&context),
        }
    }
}

impl<T> Slot<T> {
    fn belongs_to(&self, context: u64) -> bool {
        self.context == context && self.stream.is_some()
    }
}

fn slot_index(context: u64) -> Option<usize> {
    usize::try_from(context & INDEX_MASK)
        .ok()
        .filter(|index| *index < MAX_SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream_context(generation: u64, index: u64) -> u64 {
        generation << 24 | index
    }

    #[test]
    fn a_stream_is_made_once() {
        let mut streams = StreamTable::new();
        let context = stream_context(3, 7);

        assert_eq!(*streams.get_or_insert_with(context, || 1), 1);
        assert_eq!(*streams.get_or_insert_with(context, || 2), 1);
        assert_eq!(streams.remove(context), Some(1));
        assert_eq!(streams.remove(context), None);
    }

    #[test]
    fn generations_of_a_slot_do_not_meet() {
        let mut streams = StreamTable::new();
        let (first, second) = (stream_context(1, 0), stream_context(2, 0));

        streams.get_or_insert_with(first, || "first");
        streams.get_or_insert_with(second, || "second");
        assert_eq!(streams.remove(first), Some("first"));

        // The slot is free now; the stream stays where it is.
        assert_eq!(*streams.get_or_insert_with(second, || "again"), "second");
        assert_eq!(streams.remove(second), Some("second"));
        assert!(streams.others.is_empty());
    }

    #[test]
    fn ids_of_any_pattern_cost_no_more_than_they_hold() {
        let mut streams = StreamTable::new();
        let contexts: Vec<u64> = (0..100).map(|i| (1 << 53) - 1 - i * 999_983).collect();

        for context in &contexts {
            streams.get_or_insert_with(*context, || *context);
        }

        assert!(streams.slots.len() <= MAX_SLOTS);
        for context in contexts {
            assert_eq!(streams.get_mut(context).copied(), Some(context));
            assert_eq!(streams.remove(context), Some(context));
        }
    }
}

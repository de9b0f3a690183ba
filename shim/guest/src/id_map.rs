//! A map from ids to values.

/// 2^64 divided by the golden ratio: multiples of it lie far apart (Fibonacci hashing).
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A map whose keys are ids handed out in sequence, or slab indexes. Memory is proportional to the largest number of
/// entries there ever were.
#[derive(Debug)]
pub(crate) struct IdMap<V> {
    /// Open addressing with linear probing; a power of two, at most half full. Empty before the first entry.
    slots: Vec<Option<(u64, V)>>,
    len: usize,
}

impl<V> IdMap<V> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
        }
    }

    /// Where a key would be if nothing were in its way. Neighbours are scattered: side by side, thousands of live ids
    /// would be one run of slots, which each removal has to walk to its end.
    #[inline]
    fn home(&self, key: u64) -> usize {
        self.wrap((key.wrapping_mul(SCATTER) >> 32) as usize)
    }

    #[inline]
    fn wrap(&self, index: usize) -> usize {
        index & self.slots.len().wrapping_sub(1)
    }

    /// The index of a key, or of the free slot where it belongs. None without slots.
    fn position(&self, key: u64) -> Option<usize> {
        let mut index = self.home(key);
        while let Some((found, _)) = self.slots.get(index)? {
            if *found == key {
                break;
            }
            index = self.wrap(index + 1);
        }
        Some(index)
    }

    #[inline]
    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        let (_, value) = self.slots.get(self.position(key)?)?.as_ref()?;
        Some(value)
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        let index = self.position(key)?;
        let (_, value) = self.slots.get_mut(index)?.as_mut()?;
        Some(value)
    }

    pub(crate) fn contains(&self, key: u64) -> bool {
        self.get(key).is_some()
    }

    /// Sets the value of a key and returns the one it had.
    pub(crate) fn insert(&mut self, key: u64, value: V) -> Option<V> {
        if self.slots.len() < (self.len + 1) * 2 {
            self.grow();
        }
        let index = self.position(key)?;
        let old = self.slots.get_mut(index)?.replace((key, value));
        if old.is_none() {
            self.len += 1;
        }
        old.map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<V> {
        let mut hole = self.position(key)?;
        let (_, removed) = self.slots.get_mut(hole)?.take()?;
        self.len -= 1;
        // Entries behind the hole that were displaced past it move up, so that no search ends at the hole too early.
        let mut index = hole;
        loop {
            index = self.wrap(index + 1);
            let Some(Some((key, _))) = self.slots.get(index) else {
                break;
            };
            let from_home = self.wrap(index.wrapping_sub(self.home(*key)));
            let from_hole = self.wrap(index.wrapping_sub(hole));
            if from_home >= from_hole {
                self.slots.swap(index, hole);
                hole = index;
            }
        }
        Some(removed)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.slots.iter().flatten().map(|(_, value)| value)
    }

    /// Removes the entries for which `keep` is false.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        let gone = self
            .slots
            .iter()
            .flatten()
            .filter(|(_, value)| !keep(value))
            .map(|(key, _)| *key);
        for key in gone.collect::<Vec<_>>() {
            self.remove(key);
        }
    }

    fn grow(&mut self) {
        let slots = self.slots.len().max(4) * 2;
        let old = std::mem::take(&mut self.slots);
        self.slots.resize_with(slots, || None);
        for (key, value) in old.into_iter().flatten() {
            if let Some(slot) = self
                .position(key)
                .and_then(|index| self.slots.get_mut(index))
            {
                *slot = Some((key, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_map_has_nothing() {
        let mut map = IdMap::<u8>::new();
        assert_eq!(map.get(0), None);
        assert_eq!(map.remove(u64::MAX), None);
    }

    #[test]
    fn slab_indexes_with_generations_take_no_more_memory_than_entries() {
        let mut map = IdMap::new();
        for generation in 0..10_000_u64 {
            let id = (generation << 24) | (generation % 3);
            map.insert(id, generation);
            assert_eq!(map.get(id), Some(&generation));
            if generation >= 2 {
                let old = generation - 2;
                assert_eq!(map.remove((old << 24) | (old % 3)), Some(old));
            }
        }
        assert_eq!(map.slots.len(), 8);
    }

    #[test]
    fn ids_in_sequence_make_no_long_runs() {
        let mut map = IdMap::new();
        for id in 1..=4096 {
            map.insert(id, ());
        }
        let runs = map.slots.split(Option::is_none).map(<[_]>::len);
        let longest = runs.max().unwrap();
        assert!(longest < 64, "a run of {longest} slots");
    }

    proptest! {
        /// Few keys that collide in their low bits, in any order.
        #[test]
        fn does_what_a_map_does(steps in vec((0..24_u64, 0..3_u64, any::<Option<u8>>()), 0..300)) {
            let (mut map, mut model) = (IdMap::new(), BTreeMap::new());
            for (low, high, value) in steps {
                let key = (high << 24) | low;
                match value {
                    Some(value) => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                    None => prop_assert_eq!(map.remove(key), model.remove(&key)),
                }
                prop_assert_eq!(map.len, model.len());
                for (key, value) in &model {
                    prop_assert_eq!(map.get(*key), Some(value));
                }
            }
            map.retain(|value| value % 2 == 0);
            model.retain(|_, value| *value % 2 == 0);
            let mut values: Vec<_> = map.values().copied().collect();
            values.sort_unstable();
            let mut expected: Vec<_> = model.values().copied().collect();
            expected.sort_unstable();
            prop_assert_eq!(values, expected);
        }
    }
}

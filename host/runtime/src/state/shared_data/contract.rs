//! What every [`SharedDataStore`] does.

use std::sync::Arc;
use std::thread;

use super::*;

/// Checks all rules, each with a store that `new` makes.
pub(crate) fn check<S: SharedDataStore + 'static>(new: impl Fn() -> Arc<S>) {
    a_value_is_what_was_set_last(&*new());
    a_version_guards_its_value(&*new());
    a_version_is_no_other_values(&*new());
    a_key_without_value_takes_any_version(&*new());
    an_empty_value_is_a_value(&*new());
    vm_ids_have_keys_of_their_own(&*new());
    keys_and_values_are_bounded(&*new());
    the_number_of_keys_is_bounded(&*new());
    the_bytes_of_a_vm_id_are_bounded(&*new());
    no_write_of_any_thread_is_lost(&new());
}

fn value(store: &dyn SharedDataStore, key: &[u8]) -> Vec<u8> {
    store.get("vm", key).unwrap().0
}

fn version(store: &dyn SharedDataStore, key: &[u8]) -> Option<Version> {
    store.get("vm", key).map(|(_, version)| version)
}

fn a_value_is_what_was_set_last(store: &dyn SharedDataStore) {
    assert_eq!(store.get("vm", b"k"), None);
    store.set("vm", b"k", b"one", None).unwrap();
    let first = version(store, b"k");
    assert_eq!(value(store, b"k"), b"one");
    assert_eq!(version(store, b"k"), first, "reading changes nothing");
    store.set("vm", b"k", b"a longer one", None).unwrap();
    assert_eq!(value(store, b"k"), b"a longer one");
    assert_ne!(version(store, b"k"), first);
}

fn a_version_guards_its_value(store: &dyn SharedDataStore) {
    store.set("vm", b"k", b"one", None).unwrap();
    let first = version(store, b"k");
    store.set("vm", b"k", b"two", first).unwrap();
    assert_eq!(
        store.set("vm", b"k", b"three", first),
        Err(SetError::Mismatch)
    );
    assert_eq!(value(store, b"k"), b"two");
    // A write with the same bytes is a write.
    let second = version(store, b"k");
    store.set("vm", b"k", b"two", None).unwrap();
    assert_eq!(
        store.set("vm", b"k", b"three", second),
        Err(SetError::Mismatch)
    );
}

fn a_version_is_no_other_values(store: &dyn SharedDataStore) {
    store.set("vm", b"a", b"1", None).unwrap();
    store.set("vm", b"b", b"1", None).unwrap();
    let other = version(store, b"b");
    assert_eq!(store.set("vm", b"a", b"2", other), Err(SetError::Mismatch));
}

fn a_key_without_value_takes_any_version(store: &dyn SharedDataStore) {
    store.set("vm", b"a", b"1", None).unwrap();
    let any = version(store, b"a");
    store.set("vm", b"b", b"2", any).unwrap();
    assert_eq!(value(store, b"b"), b"2");
}

fn an_empty_value_is_a_value(store: &dyn SharedDataStore) {
    store.set("vm", b"", b"", None).unwrap();
    let first = version(store, b"");
    assert_eq!(value(store, b""), b"");
    store.set("vm", b"", b"x", first).unwrap();
    store.set("vm", b"", b"", version(store, b"")).unwrap();
    assert_eq!(value(store, b""), b"");
    assert_eq!(store.set("vm", b"", b"y", first), Err(SetError::Mismatch));
}

fn vm_ids_have_keys_of_their_own(store: &dyn SharedDataStore) {
    store.set("vm", b"k", b"1", None).unwrap();
    store.set("", b"k", b"2", None).unwrap();
    assert_eq!(store.get("other", b"k"), None);
    assert_eq!(value(store, b"k"), b"1");
    assert_eq!(store.get("", b"k").unwrap().0, b"2");
}

fn keys_and_values_are_bounded(store: &dyn SharedDataStore) {
    let key = vec![b'k'; MAX_KEY_BYTES + 1];
    let large = vec![b'v'; MAX_VALUE_BYTES + 1];
    assert_eq!(store.set("vm", &key, b"", None), Err(SetError::KeyTooLong));
    assert_eq!(
        store.set("vm", b"k", &large, None),
        Err(SetError::ValueTooLong)
    );
    assert_eq!(store.get("vm", b"k"), None);
    store.set("vm", &key[1..], &large[1..], None).unwrap();
    assert_eq!(value(store, &key[1..]).len(), MAX_VALUE_BYTES);
}

fn the_number_of_keys_is_bounded(store: &dyn SharedDataStore) {
    for number in 0..MAX_KEYS {
        store.set("vm", &number.to_le_bytes(), b"", None).unwrap();
    }
    assert_eq!(
        store.set("vm", b"one more", b"", None),
        Err(SetError::TooManyKeys)
    );
    store
        .set("vm", &0_usize.to_le_bytes(), b"again", None)
        .unwrap();
    store.set("other", b"one more", b"", None).unwrap();
}

fn the_bytes_of_a_vm_id_are_bounded(store: &dyn SharedDataStore) {
    let large = vec![b'v'; MAX_VALUE_BYTES];
    let fitting = MAX_SCOPE_BYTES / (MAX_VALUE_BYTES + ENTRY_BYTES + 8);
    for number in 0..fitting as u64 {
        store
            .set("vm", &number.to_le_bytes(), &large, None)
            .unwrap();
    }
    assert_eq!(
        store.set("vm", b"one more", &large, None),
        Err(SetError::ScopeFull)
    );
    assert_eq!(store.get("vm", b"one more"), None);
    store.set("other", b"one more", &large, None).unwrap();
    // What is given back can be used.
    store.set("vm", &0_u64.to_le_bytes(), b"", None).unwrap();
    store.set("vm", b"one more", &large, None).unwrap();
    assert_eq!(
        store.set("vm", &0_u64.to_le_bytes(), &large, None),
        Err(SetError::ScopeFull)
    );
    assert_eq!(value(store, &0_u64.to_le_bytes()), b"");
}

fn no_write_of_any_thread_is_lost<S: SharedDataStore + 'static>(store: &Arc<S>) {
    const THREADS: u32 = 4;
    const WRITES: u32 = 500;
    store.set("vm", b"sum", &0_u32.to_le_bytes(), None).unwrap();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let store = Arc::clone(store);
            thread::spawn(move || {
                for _ in 0..WRITES {
                    increment(&*store);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(value(&**store, b"sum"), (THREADS * WRITES).to_le_bytes());
}

fn increment(store: &dyn SharedDataStore) {
    loop {
        let (bytes, version) = store.get("vm", b"sum").unwrap();
        let sum = u32::from_le_bytes(bytes.try_into().unwrap()) + 1;
        match store.set("vm", b"sum", &sum.to_le_bytes(), Some(version)) {
            Ok(()) => return,
            Err(error) => assert_eq!(error, SetError::Mismatch),
        }
    }
}

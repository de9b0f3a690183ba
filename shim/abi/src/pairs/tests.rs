use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

type Owned = Vec<(Vec<u8>, Vec<u8>)>;

fn owned(pairs: Pairs<'_>) -> Owned {
    pairs
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect()
}

/// The worked example of the reference: `a: "1"`, `bc: ""`.
const EXAMPLE: &[u8] = &[
    2, 0, 0, 0, // pairs
    1, 0, 0, 0, 1, 0, 0, 0, // `a`, `1`
    2, 0, 0, 0, 0, 0, 0, 0, // `bc`, empty
    0x61, 0, 0x31, 0, 0x62, 0x63, 0, 0,
];

#[test]
fn the_worked_example() {
    assert_eq!(encode([("a", "1"), ("bc", "")]), EXAMPLE);
    assert_eq!(
        owned(decode(EXAMPLE)),
        [(b"a".to_vec(), b"1".to_vec()), (b"bc".to_vec(), Vec::new())]
    );
    assert_eq!(decode(EXAMPLE).len(), 2);
}

#[test]
fn every_spelling_of_an_empty_map() {
    for bytes in [&[] as &[u8], &[0], &[0, 0], &[0, 0, 0], &[0, 0, 0, 0]] {
        assert_eq!(decode(bytes).count(), 0, "{bytes:?}");
    }
    assert_eq!(encode::<&str, &str>([]), [0, 0, 0, 0]);
}

#[test]
fn damage_is_named() {
    for end in 1..EXAMPLE.len() {
        assert_eq!(
            Pairs::parse(&EXAMPLE[..end]).unwrap_err(),
            MalformedPairs::Truncated,
            "cut at {end}"
        );
    }
    let mut long = EXAMPLE.to_vec();
    long.push(0);
    assert_eq!(
        Pairs::parse(&long).unwrap_err(),
        MalformedPairs::TrailingBytes
    );
    for terminator in [21, 23, 26, 27] {
        let mut broken = EXAMPLE.to_vec();
        broken[terminator] = b'x';
        assert_eq!(
            Pairs::parse(&broken).unwrap_err(),
            MalformedPairs::MissingTerminator,
            "at {terminator}"
        );
        assert_eq!(decode(&broken).count(), 0);
    }
}

#[test]
fn counts_and_lengths_that_would_wrap_are_truncated() {
    for count in [1 << 29, u32::MAX] {
        assert_eq!(
            Pairs::parse(&count.to_le_bytes()).unwrap_err(),
            MalformedPairs::Truncated
        );
    }
    let mut bytes = EXAMPLE.to_vec();
    bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(Pairs::parse(&bytes).unwrap_err(), MalformedPairs::Truncated);
}

#[test]
fn limits_are_inclusive() {
    let at_most = encode(vec![("n", "v"); MAX_PAIRS]);
    assert_eq!(decode(&at_most).len(), MAX_PAIRS);
    let one_more = encode(vec![("n", "v"); MAX_PAIRS + 1]);
    assert_eq!(decode(&one_more).len(), 0);
    assert_eq!(Pairs::parse(&one_more).unwrap().len(), MAX_PAIRS + 1);

    let value = vec![b'v'; MAX_BYTES - 4 - 8 - 3];
    let at_most = encode([("n", &value)]);
    assert_eq!(at_most.len(), MAX_BYTES);
    assert_eq!(decode(&at_most).len(), 1);
    assert_eq!(decode(&encode([("nn", &value)])).len(), 0);
}

#[test]
fn encoding_appends() {
    let mut bytes = b"before".to_vec();
    encode_into(&mut bytes, [("a", "1"), ("bc", "")]);
    assert_eq!(bytes.strip_prefix(b"before"), Some(EXAMPLE));
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(pairs in vec((vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..80)), 0..60)) {
        let bytes = encode(pairs.iter().map(|(name, value)| (name, value)));
        let text: usize = pairs.iter().map(|(name, value)| 8 + name.len() + value.len() + 2).sum();
        prop_assert_eq!(bytes.len(), 4 + text);
        prop_assert_eq!(&owned(Pairs::trusted(&bytes)), &pairs);
        prop_assert_eq!(owned(decode(&bytes)), pairs);
    }

    /// Whatever parses is the encoding of what it parses to: there is one spelling of each map.
    #[test]
    fn garbage_never_panics_and_has_one_meaning(bytes in vec(prop_oneof![4 => Just(0), 1 => 0..6u8, 1 => any::<u8>()], 0..64)) {
        if let Ok(pairs) = Pairs::parse(&bytes) && !bytes.is_empty() {
            prop_assert_eq!(pairs.len(), pairs.clone().count());
            prop_assert_eq!(encode(pairs), &*bytes);
        }
        // Unchecked, malformed pairs are fewer, and nothing worse.
        let trusted = Pairs::trusted(&bytes);
        prop_assert!(trusted.len() >= trusted.clone().count());
        let _ = trusted.first_value(b"");
    }

    #[test]
    fn the_first_value_is_found_as_a_search_finds_it(
        pairs in vec(("[ab]{0,2}", "[A-B]{0,3}"), 0..8),
        name in "[aAbB]{0,2}",
    ) {
        let bytes = encode(pairs.iter().map(|(name, value)| (name, value)));
        let expected = pairs.iter().find(|(found, _)| found.eq_ignore_ascii_case(&name));
        prop_assert_eq!(
            Pairs::trusted(&bytes).first_value(name.as_bytes()),
            expected.map(|(_, value)| value.as_bytes())
        );
    }
}

//! Whatever the bytes, linking, inspecting and exporting callbacks again return.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

use std::fs;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proxy_wasi_linker::{LinkError, Linker, reexport_callbacks};

#[path = "support/test_shim.rs"]
mod test_shim;

static SHIM: LazyLock<Vec<u8>> = LazyLock::new(test_shim::test_shim);

static LINKER: LazyLock<Linker> =
    LazyLock::new(|| Linker::new(&SHIM).expect("the test shim keeps the contract"));

/// The modules of the cases that link, and one linked component.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let cases = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/link"));
    let mut paths: Vec<_> = cases
        .expect("tests/link can be listed")
        .map(|case| {
            case.expect("tests/link can be listed")
                .path()
                .join("module.wat")
        })
        .filter(|path| path.exists())
        .collect();
    paths.sort();
    let modules = paths
        .iter()
        .map(|path| wat::parse_file(path).expect("the case assembles"));
    let mut seeds: Vec<Vec<u8>> = modules
        .filter(|module| LINKER.link(module).is_ok())
        .collect();
    let component = LINKER
        .link(&seeds[0])
        .expect("the first seed links")
        .component;
    seeds.push(component);
    seeds
});

/// A change to a file. Positions are relative, so that one fits a file of any length.
#[derive(Clone, Debug)]
enum Edit {
    Overwrite(Index, u8),
    Insert(Index, u8),
    Remove(Index, usize),
    Repeat(Index, usize),
    Truncate(Index),
    /// The rest of another seed.
    Splice(Index, Index, Index),
}

impl Edit {
    fn any() -> impl Strategy<Value = Self> {
        let index = any::<Index>;
        let byte = prop_oneof![any::<u8>(), 0..16_u8, Just(0x7f), Just(0x80), Just(0xff)];
        prop_oneof![
            // Most edits keep the lengths of sections, so that parsing gets past them.
            12 => (index(), byte).prop_map(|(at, byte)| Self::Overwrite(at, byte)),
            1 => (index(), any::<u8>()).prop_map(|(at, byte)| Self::Insert(at, byte)),
            1 => (index(), 1..9_usize).prop_map(|(at, len)| Self::Remove(at, len)),
            1 => (index(), 1..64_usize).prop_map(|(at, len)| Self::Repeat(at, len)),
            1 => index().prop_map(Self::Truncate),
            1 => (index(), index(), index()).prop_map(|(at, seed, from)| Self::Splice(at, seed, from)),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::Overwrite(at, byte) => {
                let at = place(at, bytes);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Self::Insert(at, byte) => bytes.insert(place(at, bytes), *byte),
            Self::Remove(at, len) => {
                let at = place(at, bytes);
                bytes.drain(at..bytes.len().min(at + len));
            }
            Self::Repeat(at, len) => {
                let at = place(at, bytes);
                bytes.extend_from_within(at..bytes.len().min(at + len));
            }
            Self::Truncate(at) => bytes.truncate(place(at, bytes)),
            Self::Splice(at, seed, from) => {
                bytes.truncate(place(at, bytes));
                let seed = seed.get(&SEEDS);
                bytes.extend_from_slice(&seed[place(from, seed)..]);
            }
        }
    }
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec(Edit::any(), 1..6)).prop_map(|(seed, edits)| {
        let mut bytes = seed.get(&SEEDS).clone();
        for edit in edits {
            edit.apply(&mut bytes);
        }
        bytes
    })
}

/// Links and inspects; what has linked must be valid, unless only a function body is not.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let linked = LINKER.link(bytes);
    let inspection = LINKER.inspect(bytes);
    if let Ok(linked) = &linked {
        let refusal = inspection.expect("what links can be inspected").refusal;
        prop_assert_eq!(refusal, None);
        if let Err(error) = validate(&linked.component) {
            prop_assert!(
                validate(bytes).is_err(),
                "the component became invalid: {}",
                error
            );
        }
    }
    if let Some(error) = reexport_callbacks(bytes).and_then(|again| validate(&again).err()) {
        prop_assert!(
            validate(bytes).is_err(),
            "invalid with its callbacks exported again: {}",
            error
        );
    }
    let is_one_line = |error: &LinkError| !error.to_string().contains('\n');
    prop_assert!(linked.as_ref().err().is_none_or(is_one_line));
    if let Err(LinkError::Encode { reason }) = linked {
        return Err(TestCaseError::fail(format!(
            "the plan did not foresee: {reason}"
        )));
    }
    Ok(())
}

fn validate(bytes: &[u8]) -> Result<(), wasmparser::Error> {
    wasmparser::Validator::new().validate_all(bytes).map(drop)
}

/// At least this many cases, or as many as `PROPTEST_CASES` says.
fn at_least(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(ProptestConfig::default().cases.max(cases))
}

proptest! {
    #![proptest_config(at_least(4096))]

    #[test]
    fn a_mutated_module_links_or_is_refused(bytes in mutated()) {
        check(&bytes)?;
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in vec(any::<u8>(), 0..256)) {
        check(&bytes)?;
    }

    #[test]
    fn arbitrary_sections_are_refused(bytes in vec(any::<u8>(), 0..256)) {
        check(&[b"\0asm\x01\0\0\0".as_slice(), &bytes].concat())?;
        check(&[b"\0asm\x0d\0\x01\0".as_slice(), &bytes].concat())?;
    }
}

proptest! {
    // Every case links all seeds.
    #![proptest_config(at_least(256))]

    #[test]
    fn a_mutated_shim_is_refused_or_links(edits in vec(Edit::any(), 1..4)) {
        let mut shim = SHIM.clone();
        for edit in edits {
            edit.apply(&mut shim);
        }
        if let Ok(linker) = Linker::new(&shim) {
            for seed in SEEDS.iter() {
                let _ = linker.link(seed);
            }
        }
    }
}

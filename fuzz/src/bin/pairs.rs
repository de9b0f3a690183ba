//! Serialized pairs as plugins hand them over: an error, or pairs that are the same when written and read again.
#![no_main]
#![expect(clippy::expect_used, reason = "a panic is what the fuzzer looks for")]

use libfuzzer_sys::fuzz_target;
use proxy_wasi_abi::pairs;

fuzz_target!(|bytes: &[u8]| {
    let trusted: Vec<_> = pairs::Pairs::trusted(bytes).collect();
    let decoded = pairs::decode(bytes);
    assert!(decoded.len() <= pairs::MAX_PAIRS);
    if let Ok(read) = pairs::Pairs::parse(bytes) {
        let read: Vec<_> = read.collect();
        assert_eq!(read, trusted, "both readings agree on what is well-formed");
        let written = pairs::encode(read.iter().copied());
        let again = pairs::Pairs::parse(&written).expect("what was written can be read");
        assert!(again.eq(read.iter().copied()), "it reads as it was");
    }
});

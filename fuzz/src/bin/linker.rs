//! Any bytes: an error, or a component that validates. Never a panic. A component stays valid when its callbacks are
//! exported again.
#![no_main]
#![expect(clippy::expect_used, reason = "a panic is what the fuzzer looks for")]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use proxy_wasi_linker::{LinkError, Linker, reexport_callbacks};
use proxy_wasi_shim_artifact::SHIM;

static LINKER: LazyLock<Linker> = LazyLock::new(|| {
    let linker = Linker::new(SHIM).expect("the shim keeps the linker's contract");
    linker.validate(true)
});

fuzz_target!(|bytes: &[u8]| {
    let _ = LINKER.inspect(bytes);
    if let Some(component) = reexport_callbacks(bytes) {
        LINKER
            .inspect(&component)
            .expect("it was valid, and still is");
    }
    if let Err(error) = LINKER.link(bytes) {
        let text = error.to_string();
        assert!(!text.contains('\n'), "an error is one line: {text}");
        // The linker accepted it and made something that is no component.
        assert!(!matches!(error, LinkError::Encode { .. }), "{text}");
    }
});

//! Valid modules of all kinds that have what hosts need link to valid components.
#![expect(clippy::expect_used, reason = "a test that panics has failed")]

use arbitrary::Unstructured;
use proptest::collection::vec;
use proptest::prelude::*;
use proxy_wasi_linker::{LinkError, Linker};
use std::sync::LazyLock;
use wasm_smith::{Config, Module};

#[path = "support/test_shim.rs"]
mod test_shim;

static LINKER: LazyLock<Linker> = LazyLock::new(|| {
    let linker = Linker::new(&test_shim::test_shim()).expect("the test shim keeps the contract");
    linker.validate(true)
});

/// What every generated module exports.
static EXPORTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    wat::parse_str(
        r#"(module
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 0))
            (func (export "_initialize"))
            (func (export "proxy_on_tick") (param i32))
            (func (export "proxy_on_request_headers") (param i32 i32) (result i32) (i32.const 0)))"#,
    )
    .expect("the module assembles")
});

/// Proposals that change what surrounds code, on or off.
#[derive(Clone, Copy, Debug)]
struct Proposals {
    bulk_memory: bool,
    exceptions: bool,
    extended_const: bool,
    gc: bool,
}

fn proposals() -> impl Strategy<Value = Proposals> {
    any::<[bool; 4]>().prop_map(|[bulk_memory, exceptions, extended_const, gc]| Proposals {
        bulk_memory,
        exceptions,
        extended_const,
        gc,
    })
}

fn config(proposals: Proposals) -> Config {
    Config {
        exports: Some(EXPORTS.clone()),
        // The one memory is that of `EXPORTS`.
        min_memories: 0,
        max_memories: 0,
        max_memory32_bytes: 1 << 20,
        memory64_enabled: false,
        threads_enabled: false,
        min_data_segments: 3,
        max_data_segments: 30,
        max_imports: 10,
        max_tags: 2,
        allow_start_export: true,
        bulk_memory_enabled: proposals.bulk_memory,
        exceptions_enabled: proposals.exceptions,
        extended_const_enabled: proposals.extended_const,
        gc_enabled: proposals.gc,
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn link(proposals in proposals(), seed in vec(any::<u8>(), 4096)) {
        let module = Module::new(config(proposals), &mut Unstructured::new(&seed));
        prop_assume!(module.is_ok());
        let module = module.expect("just checked").to_bytes();
        match LINKER.link(&module) {
            Ok(_)
            // What such modules may have and hosts do not offer.
            | Err(
                LinkError::ImportKind { .. }
                | LinkError::ImportSignature { .. }
                | LinkError::Signature { function: "start section", .. },
            ) => {}
            Err(error) => {
                let error = format!("{error}\n{}", wasmprinter::print_bytes(&module).unwrap_or_default());
                return Err(TestCaseError::fail(error));
            }
        }
    }
}

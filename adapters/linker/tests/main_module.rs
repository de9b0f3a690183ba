//! What linking makes of the shim.
#![expect(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics has failed"
)]

use std::collections::BTreeMap;

use proxy_wasi_linker::{LinkError, Linker, MAX_MODULE_BYTES, ShimError};
use proxy_wasi_shim_artifact::SHIM;
use wasmparser::{DataKind, KnownCustom, Name, Parser, Payload, Validator};

#[path = "support/core_module.rs"]
mod core_module;
#[path = "support/test_shim.rs"]
mod test_shim;

use core_module::main_and_library;

const MODULE: &str = r#"(module $legacy
    (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
    (import "env" "nobody" (func $nobody))
    (import "env" "nobody_else" (func $nobody_else))
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func $allocate (export "malloc") (param i32) (result i32) (i32.const 0))
    (data (i32.const 100) "data"))"#;

fn link(shim: &[u8]) -> Vec<u8> {
    let module = wat::parse_str(MODULE).expect("the module assembles");
    let linker = Linker::new(shim).expect("the shim keeps the contract");
    linker.link(&module).expect("the module links").component
}

/// Names by function index.
fn function_names(module: &[u8]) -> BTreeMap<u32, String> {
    let section = core_module::custom_section(module, "name").expect("a name section");
    let section = wasmparser::NameSectionReader::new(wasmparser::BinaryReader::new(section, 0));
    let mut names = BTreeMap::new();
    for subsection in section {
        if let Name::Function(functions) = subsection.expect("a subsection") {
            for naming in functions {
                let naming = naming.expect("a naming");
                names.insert(naming.index, naming.name.to_owned());
            }
        }
    }
    names
}

#[test]
fn the_real_shim_links() {
    let component = link(SHIM);
    Validator::new()
        .validate_all(&component)
        .expect("a valid component");
    let mut exports = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&component) {
        match payload.expect("component parses") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(
                    section
                        .into_iter()
                        .map(|export| export.expect("an export").name.name.to_owned()),
                );
            }
            _ => {}
        }
    }
    for interface in [
        "lifecycle",
        "http-filter",
        "timer-handler",
        "foreign-function-handler",
    ] {
        let export = format!("proxy-wasm:plugin/{interface}@0.1.0");
        assert!(
            exports.contains(&export),
            "{export} is not among {exports:?}"
        );
    }
}

#[test]
fn functions_keep_their_names_at_their_new_indices() {
    let component = link(&test_shim::test_shim());
    let [main, _] = main_and_library(&component);
    let names = function_names(main);
    let printed = wasmprinter::print_bytes(main).expect("main prints");
    // One of the shim that calls others by name, a filled-in placeholder, an import, and a stub.
    assert!(
        printed.contains(r#"(export "env.proxy_log" (func $log))"#),
        "{printed}"
    );
    assert!(
        printed.contains(r#"call $"proxy-wasi:bridge copy-in""#),
        "{printed}"
    );
    assert!(
        printed.contains(r#"(func $"legacy malloc" (;1;)"#),
        "{printed}"
    );
    assert!(names.values().any(|name| name == "env.nobody"), "{names:?}");
}

#[test]
fn stale_debug_information_goes() {
    let component = link(&test_shim::test_shim());
    let [main, _] = main_and_library(&component);
    assert!(core_module::custom_section(main, ".debug_info").is_none());
}

/// The condition for engines to map both memories copy-on-write: only constant offsets, all in bounds.
#[test]
fn main_writes_memories_with_constant_segments_only() {
    let component = link(SHIM);
    let [main, _] = main_and_library(&component);
    let mut passive = Vec::new();
    for payload in Parser::new(0).parse_all(main) {
        let Payload::DataSection(section) = payload.expect("main parses") else {
            continue;
        };
        for data in section {
            let data = data.expect("a segment");
            match data.kind {
                DataKind::Active { offset_expr, .. } => {
                    let mut operators = offset_expr.get_operators_reader();
                    let first = operators.read().expect("an operator");
                    assert!(
                        matches!(first, wasmparser::Operator::I32Const { .. }),
                        "{first:?}"
                    );
                }
                DataKind::Passive => passive.push(data.data),
            }
        }
    }
    assert_eq!(
        passive,
        [b"env.nobodyenv.nobody_else"],
        "the table of stub names"
    );
}

#[test]
fn the_component_says_who_made_it_once() {
    let component = link(SHIM);
    let mut tools = Vec::new();
    let (mut depth, mut sections) = (0, 0);
    for payload in Parser::new(0).parse_all(&component) {
        match payload.expect("component parses") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 0 => {
                if let KnownCustom::Producers(fields) = section.as_known() {
                    sections += 1;
                    for field in fields {
                        for tool in field.expect("a field").values {
                            let tool = tool.expect("a tool");
                            tools.push(format!("{} {}", tool.name, tool.version));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let this_release = concat!("proxy-wasi ", env!("CARGO_PKG_VERSION"));
    assert_eq!(sections, 1);
    assert_eq!(tools, ["wit-component 0.254.2", this_release]);
}

/// The test shim after a change to its text.
fn changed_shim(from: &str, to: &str) -> Result<Linker, ShimError> {
    assert!(
        test_shim::TEXT.contains(from),
        "`{from}` is not in shim.wat"
    );
    Linker::new(&test_shim::assemble(&test_shim::TEXT.replacen(from, to, 1)))
}

#[test]
fn a_shim_that_breaks_the_contract_is_refused() {
    let cases = [
        (
            r#""proxy-wasi:bridge" "copy-in" (func $copy-in (param i32 i32 i32))"#,
            r#""proxy-wasi:bridge" "copy" (func $copy-in (param i32 i32 i32))"#,
            "shim imports `proxy-wasi:bridge` `copy`, which the linker does not know; \
             build both from the same release",
        ),
        (
            r#""proxy-wasi:legacy" "proxy_on_tick" (func $on-tick (param i32))"#,
            r#""proxy-wasi:legacy" "proxy_on_tock" (func $on-tick (param i32))"#,
            "shim imports `proxy-wasi:legacy` `proxy_on_tock`, which the linker does not know; \
             build both from the same release",
        ),
        (
            r#""store-u64" (func $store-u64 (param i32 i64))"#,
            r#""store-u64" (func $store-u64 (param i32 i32))"#,
            "shim declares `store-u64` as `(i32, i32) -> ()`, not as `(i32, i64) -> ()`; \
             build shim and linker from the same release",
        ),
        (
            r#"(func $log (export "env.proxy_log") (param i32 i32 i32)"#,
            r#"(func $log (export "env.proxy_log") (param i32 i32)"#,
            "shim declares `env.proxy_log` as `(i32, i32) -> i32`, not as `(i32, i32, i32) -> i32`; \
             build shim and linker from the same release",
        ),
        (
            r#"(export "proxy-wasi:report-stub")"#,
            "",
            "shim does not export `proxy-wasi:report-stub`; \
             build shim and linker from the same release",
        ),
        (
            r#"(export "copy")"#,
            r#"(export "copy") (export "_initialize")"#,
            "shim has an export `_initialize`; \
             it must do nothing before its first export is called",
        ),
        (
            "(table 1 funcref)",
            "(table 1 funcref) (func $nothing) (start $nothing)",
            "shim has a start section; it must do nothing before its first export is called",
        ),
        (
            r#"(memory (export "memory") 1)"#,
            r#"(memory (export "memory") 1) (memory 1)"#,
            "shim has 2 memories, defined or imported; it must define one",
        ),
        (
            r#"(import "host" "report""#,
            r#"(import "env" "base" (global i32)) (import "host" "report""#,
            "shim imports global `env.base`; it may import functions only",
        ),
    ];
    for (from, to, message) in cases {
        let error = changed_shim(from, to).expect_err(message);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_module_beyond_the_limit_is_refused() {
    let mut module = wat::parse_str(MODULE).expect("the module assembles");
    // One custom section without a name takes all the room there is, and one byte more.
    let header = [0, 0x80, 0x80, 0x80, 0x80, 0x01, 0];
    module.extend_from_slice(&header);
    module.resize(module.len() + 0x1000_0000 - 1, 0);
    assert!(module.len() > MAX_MODULE_BYTES);
    let linker = Linker::new(SHIM).expect("the shim keeps the contract");
    let error = linker.link(&module).expect_err("too large");
    assert_eq!(
        error,
        LinkError::TooLarge {
            bytes: module.len()
        }
    );
}

#[test]
fn what_is_no_shim_is_refused() {
    let message = |bytes: &[u8]| Linker::new(bytes).expect_err("no shim").to_string();
    let no_world = wat::parse_str(r#"(module (memory (export "memory") 1))"#);
    let no_world = message(&no_world.expect("it assembles"));
    assert_eq!(
        no_world,
        "shim has no `component-type` section; build it with wit-bindgen"
    );
    let component = message(&wat::parse_str("(component)").expect("it assembles"));
    assert_eq!(
        component,
        "shim is not a core module: it is a component; build it for wasm32-unknown-unknown"
    );
    let invalid = wat::parse_str("(module (func (i32.add)))").expect("it assembles");
    assert!(
        message(&invalid).contains("type mismatch"),
        "function bodies of a shim are checked"
    );
    assert!(message(b"").contains("not a core module"));
}

//! What the built shim imports and exports.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test reads a module that its own workspace built"
)]

use std::collections::{BTreeMap, BTreeSet};

use proxy_wasi_abi::callback::CALLBACKS;
use proxy_wasi_abi::hostcall::HOSTCALLS;
use proxy_wasi_abi::signature::{Signature, ValueType};
use proxy_wasi_abi::wasi::WASI;
use proxy_wasi_shim_artifact::SHIM;
use wasmparser::{ExternalKind, FuncType, Parser, Payload, TypeRef, ValType};

#[derive(Default)]
struct Module {
    types: Vec<FuncType>,
    /// Module, name, type.
    imports: Vec<(String, String, u32)>,
    functions: Vec<u32>,
    exports: BTreeMap<String, (ExternalKind, u32)>,
    custom_sections: BTreeSet<String>,
    has_start: bool,
}

impl Module {
    fn shim() -> Self {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(SHIM) {
            match payload.unwrap() {
                Payload::TypeSection(types) => {
                    module.types = types
                        .into_iter_err_on_gc_types()
                        .map(Result::unwrap)
                        .collect();
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports().map(Result::unwrap) {
                        let TypeRef::Func(index) = import.ty else {
                            panic!("{import:?} is no function")
                        };
                        module
                            .imports
                            .push((import.module.into(), import.name.into(), index));
                    }
                }
                Payload::FunctionSection(functions) => {
                    module.functions = functions.into_iter().map(Result::unwrap).collect();
                }
                Payload::ExportSection(exports) => {
                    for export in exports.into_iter().map(Result::unwrap) {
                        module
                            .exports
                            .insert(export.name.into(), (export.kind, export.index));
                    }
                }
                Payload::CustomSection(section) => {
                    module.custom_sections.insert(section.name().into());
                }
                Payload::StartSection { .. } => module.has_start = true,
                _ => {}
            }
        }
        module
    }

    /// The type of an exported function.
    fn exported(&self, name: &str) -> Option<&FuncType> {
        let (ExternalKind::Func, index) = self.exports.get(name)? else {
            return None;
        };
        let defined = *index as usize - self.imports.len();
        Some(&self.types[self.functions[defined] as usize])
    }
}

fn has_signature(found: &FuncType, expected: Signature) -> bool {
    let matches = |(found, expected): (&ValType, &ValueType)| {
        matches!(
            (found, expected),
            (ValType::I32, ValueType::I32)
                | (ValType::I64, ValueType::I64)
                | (ValType::F64, ValueType::F64)
        )
    };
    let result: Vec<ValueType> = expected.result.into_iter().collect();
    found.params().len() == expected.params.len()
        && found.params().iter().zip(expected.params).all(matches)
        && found.results().len() == result.len()
        && found.results().iter().zip(&result).all(matches)
}

#[test]
fn every_hostcall_is_exported_with_its_signature() {
    let shim = Module::shim();
    for hostcall in HOSTCALLS {
        let name = format!("env.{}", hostcall.name);
        let found = shim
            .exported(&name)
            .unwrap_or_else(|| panic!("`{name}` is not exported"));
        assert!(
            has_signature(found, hostcall.signature),
            "`{name}` is {found:?}, not {:?}",
            hostcall.signature
        );
    }
}

#[test]
fn every_wasi_function_but_exit_is_exported_with_its_signature() {
    let shim = Module::shim();
    for function in WASI {
        let name = format!("wasi.{}", function.name);
        match shim.exported(&name) {
            None => assert_eq!(function.name, "proc_exit", "`{name}` is not exported"),
            Some(found) => {
                assert!(
                    has_signature(found, function.signature),
                    "`{name}` is {found:?}, not {:?}",
                    function.signature
                );
            }
        }
    }
}

#[test]
fn nothing_else_is_offered_to_legacy_modules() {
    let known: BTreeSet<String> = HOSTCALLS
        .iter()
        .map(|hostcall| format!("env.{}", hostcall.name))
        .chain(
            WASI.iter()
                .map(|function| format!("wasi.{}", function.name)),
        )
        .collect();
    let shim = Module::shim();
    let offered = shim
        .exports
        .keys()
        .filter(|name| name.starts_with("env.") || name.starts_with("wasi."));
    for name in offered {
        assert!(known.contains(name), "`{name}` is in no table");
    }
}

/// What the shim imports is what its component imports: nothing that a host without a file system lacks.
#[test]
fn imports_are_the_contract_and_the_linker() {
    let shim = Module::shim();
    for (module, name, _) in &shim.imports {
        let known = module == "proxy-wasi:bridge"
            || module == "proxy-wasi:legacy"
            || module.starts_with("proxy-wasm:plugin/")
            || module.starts_with("wasi:cli/")
            || module.starts_with("wasi:clocks/")
            || module.starts_with("wasi:logging/")
            || module.starts_with("wasi:random/");
        // The last of these is how wit-bindgen drops handles that the host keeps.
        assert!(known, "`{module}` `{name}`");
    }
}

/// The linker fills exactly these with generated functions.
#[test]
fn placeholders_have_the_signatures_of_what_the_linker_generates() {
    let shim = Module::shim();
    let legacy: BTreeMap<_, _> = shim
        .imports
        .iter()
        .filter(|(module, ..)| module == "proxy-wasi:legacy")
        .map(|(_, name, ty)| (name.as_str(), *ty))
        .collect();
    for callback in CALLBACKS {
        let ty = legacy
            .get(callback.name)
            .unwrap_or_else(|| panic!("`{}` is never called", callback.name));
        let found = &shim.types[*ty as usize];
        assert_eq!(
            found.params(),
            vec![ValType::I32; callback.params.into()],
            "`{}`",
            callback.name
        );
        assert_eq!(
            found.results(),
            vec![ValType::I32; callback.has_result.into()],
            "`{}`",
            callback.name
        );
    }
    assert_eq!(
        legacy.len(),
        CALLBACKS.len() + 2,
        "and `start` and `allocate`"
    );

    let bridge: BTreeSet<_> = shim
        .imports
        .iter()
        .filter(|(module, ..)| module == "proxy-wasi:bridge")
        .map(|(_, name, _)| name.as_str())
        .collect();
    let known = [
        "abi-version",
        "callbacks",
        "copy-in",
        "copy-out",
        "load-u32",
        "memory-pages",
        "store-u32",
        "store-u64",
        "stub-name",
        "take-exit",
        "throw-exit",
    ];
    assert_eq!(bridge, BTreeSet::from(known));
}

/// The linker makes it the main module of a component: no start function runs before the legacy module is there.
#[test]
fn the_shim_is_a_main_module() {
    let shim = Module::shim();
    assert!(!shim.has_start);
    for name in ["_initialize", "_start"] {
        assert!(!shim.exports.contains_key(name), "`{name}`");
    }
    for name in [
        "memory",
        "cabi_realloc",
        "proxy-wasi:report-stub",
        "proxy-wasm:plugin/lifecycle@0.1.0#start",
    ] {
        assert!(shim.exports.contains_key(name), "`{name}`");
    }
    assert!(
        shim.custom_sections
            .iter()
            .any(|name| name.starts_with("component-type:"))
    );
}

/// Linking puts the shim into every legacy plugin: it stays small.
#[test]
fn the_shim_is_small() {
    assert!(SHIM.len() < 200_000, "{} bytes", SHIM.len());
}

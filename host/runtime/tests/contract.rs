//! The contract in `wit/`: it is valid, and a component that uses all of it loads in the engine.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what goes wrong in a test fails it, and says so"
)]

use std::path::Path;

use proxy_wasi_runtime::plugin::{CodeError, PluginCode, PluginEngine};
use wasmtime::component::Component;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{ManglingAndAbi, Resolve};

fn contract() -> (Resolve, wit_parser::PackageId) {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).expect("the contract is valid WIT");
    (resolve, package)
}

/// A component that imports and exports everything a world names, and does nothing.
fn component_of(world: &str) -> Vec<u8> {
    let (resolve, package) = contract();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap()
}

fn load(component: &[u8]) -> Result<PluginCode, CodeError> {
    let engine = PluginEngine::new().unwrap();
    let component = Component::from_binary(engine.engine(), component).unwrap();
    PluginCode::new(&engine, &component)
}

#[test]
fn a_component_of_the_whole_world_loads() {
    let component = component_of("http-plugin");
    let printed = wasmprinter::print_bytes(&component).unwrap();
    for import in [
        "wasi:http/types@0.3.0",
        "proxy-wasm:plugin/grpc-callout@0.1.0",
        "proxy-wasm:plugin/metrics@0.1.0",
    ] {
        assert!(
            printed.contains(import),
            "the component does not import {import}"
        );
    }
    load(&component).unwrap();
}

#[test]
fn a_component_without_the_optional_handlers_loads() {
    load(&component_of("http-filter-plugin")).unwrap();
}

#[test]
fn a_component_that_is_no_plugin_is_refused_by_name() {
    let component = wat::parse_str("(component)").unwrap();
    let error = load(&component).unwrap_err().to_string();
    assert!(
        error.contains("must export `lifecycle` and `http-filter`"),
        "{error}"
    );
}

#[test]
fn an_import_of_somebody_elses_interface_is_refused_by_name() {
    let component = wat::parse_str(
        r#"(component (import "acme:billing/charge@1.0.0" (instance (export "pay" (func)))))"#,
    )
    .unwrap();
    let error = load(&component).unwrap_err().to_string();
    assert!(error.contains("`acme:billing/charge@1.0.0`"), "{error}");
}

/// Ids are numbers in some languages' bindings, where integers end at 2^53; `stream` and `future` are for another
/// engine; one interface called `types` is enough for Python.
#[test]
fn the_contract_keeps_to_what_all_languages_can_express() {
    let (resolve, package) = contract();
    for (name, interface) in &resolve.packages[package].interfaces {
        assert_ne!(name, "types");
        assert!(
            resolve.interfaces[*interface].docs.contents.is_some(),
            "{name} is not documented"
        );
        for (function, item) in &resolve.interfaces[*interface].functions {
            assert!(
                item.docs.contents.is_some(),
                "{name}.{function} is not documented"
            );
            assert!(!item.kind.is_async(), "{name}.{function} is asynchronous");
            for param in &item.params {
                assert!(
                    !["len", "string", "restrict", "typeof"].contains(&param.name.as_str()),
                    "{name}.{function} has a parameter whose name some languages reserve"
                );
            }
        }
    }
    for (_, definition) in resolve.types.iter() {
        assert!(
            !matches!(
                definition.kind,
                wit_parser::TypeDefKind::Stream(_) | wit_parser::TypeDefKind::Future(_)
            ),
            "{:?} is asynchronous",
            definition.name
        );
    }
}

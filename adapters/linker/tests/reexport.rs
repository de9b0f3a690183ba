//! Components whose callbacks are exported again behave as before.
#![expect(clippy::expect_used, reason = "a test that panics has failed")]

use pretty_assertions::assert_eq;
use proxy_wasi_linker::{Kind, Linker, reexport_callbacks};
use proxy_wasi_shim_artifact::SHIM;
use wasmparser::{Validator, WasmFeatures};
use wasmtime::component::{Component, Linker as HostLinker};
use wasmtime::{Engine, Store};

/// Two instances whose functions are lifted, one of them with a post-return function, one imported by the other.
const TWO_INSTANCES: &str = r#"(component
    (core module $A
        (global $calls (mut i32) (i32.const 0))
        (func (export "next") (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (global.get $calls))
        (func (export "double") (param i32) (result i32)
            (i32.add (local.get 0) (local.get 0))))
    (core module $B
        (import "a" "next" (func $next (result i32)))
        (func (export "next") (result i32)
            (i32.add (call $next) (i32.const 100)))
        (func (export "clean") (param i32) (drop (call $next))))
    (core instance $a (instantiate $A))
    (core instance $b (instantiate $B (with "a" (instance $a))))
    (alias core export $a "double" (core func $double))
    (func (export "double") (param "n" u32) (result u32) (canon lift (core func $double)))
    (alias core export $b "next" (core func $next))
    (alias core export $b "clean" (core func $clean))
    (func (export "next") (result u32) (canon lift (core func $next) (post-return (func $clean))))
    (alias core export $a "next" (core func $a-next))
    (func (export "a-next") (result u32) (canon lift (core func $a-next))))"#;

fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text assembles")
}

fn reexported(component: &[u8]) -> Vec<u8> {
    let component = reexport_callbacks(component).expect("callbacks that can be exported again");
    Validator::new_with_features(WasmFeatures::default())
        .validate_all(&component)
        .expect("a valid component");
    component
}

/// What a few calls answer, in the order of the calls.
fn answers(component: &[u8]) -> Vec<u32> {
    let engine = Engine::default();
    let component = Component::new(&engine, component).expect("it compiles");
    let mut store = Store::new(&engine, ());
    let instance = HostLinker::new(&engine)
        .instantiate(&mut store, &component)
        .expect("it instantiates");
    let mut answers = Vec::new();
    for name in ["next", "a-next", "next", "a-next"] {
        let function = instance
            .get_typed_func::<(), (u32,)>(&mut store, name)
            .expect("an export");
        answers.push(function.call(&mut store, ()).expect("no trap").0);
    }
    let double = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "double")
        .expect("an export");
    answers.push(double.call(&mut store, (21,)).expect("no trap").0);
    answers
}

/// The instances that lifted functions are taken from, as printed.
fn sources_of_lifts(component: &[u8]) -> Vec<String> {
    let text = wasmprinter::print_bytes(component).expect("it prints");
    let lifted =
        |alias: &&str| alias.contains("(alias core export") && alias.contains("(core func");
    let mut sources: Vec<String> = text
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with("(alias core export"))
        .filter(lifted)
        .filter_map(|alias| alias.split_whitespace().nth(3).map(str::to_owned))
        .collect();
    sources.dedup();
    sources
}

#[test]
fn calls_give_the_same() {
    let component = assemble(TWO_INSTANCES);
    let before = answers(&component);
    assert_eq!(
        before,
        [101, 3, 104, 6, 42],
        "the post-return function counts too"
    );
    assert_eq!(answers(&reexported(&component)), before);
}

#[test]
fn a_lifted_function_comes_from_an_instance_that_imports_it() {
    let component = assemble(TWO_INSTANCES);
    assert_eq!(sources_of_lifts(&component), ["$a", "$b", "$a"]);
    let sources = sources_of_lifts(&reexported(&component));
    let [third, b, again] = sources.as_slice() else {
        panic!("the post-return function alone stays: {sources:?}");
    };
    assert_eq!(third, again);
    assert_eq!(b, "$b");
}

#[test]
fn linked_modules_take_it() {
    let module = assemble(
        r#"(module
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 1024))
            (func (export "proxy_on_tick") (param i32)))"#,
    );
    let linker = Linker::new(SHIM).expect("the shim keeps the linker's contract");
    let linked = linker.link(&module).expect("the module links").component;
    let inspect = |component: &[u8]| {
        let Kind::Plugin(component) = linker.inspect(component).expect("a component").kind else {
            panic!("not a plugin's component");
        };
        component
    };
    let mut expected = inspect(&linked);
    expected.core_modules += 1;
    assert_eq!(inspect(&reexported(&linked)), expected);
}

#[test]
fn what_it_cannot_do_is_left_alone() {
    let nothing_lifted = r#"(component (core module $A) (core instance (instantiate $A)))"#;
    let instance_behind = r#"(component
        (core module $A (func (export "f")))
        (core module $B (func (export "g")))
        (core instance $a (instantiate $A))
        (alias core export $a "f" (core func $f))
        (func (export "f") (canon lift (core func $f)))
        (core instance $b (instantiate $B))
        (alias core export $b "g" (core func $g))
        (func (export "g") (canon lift (core func $g))))"#;
    for text in [nothing_lifted, instance_behind, "(module)"] {
        assert_eq!(reexport_callbacks(&assemble(text)), None, "{text}");
    }
    let valid = assemble(TWO_INSTANCES);
    for end in 0..valid.len() {
        let truncated = valid.get(..end).expect("shorter");
        if let Some(component) = reexport_callbacks(truncated) {
            // Cut between two sections.
            reexported(&component);
        }
    }
}

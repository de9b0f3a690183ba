//! Runs linked components with the test shim: what the generated functions do.
#![expect(clippy::expect_used, reason = "a test that panics has failed")]

use proxy_wasi_linker::Linker;
use wasmtime::component::{Component, ComponentNamedList, Instance, Lift, Lower};
use wasmtime::{Config, Engine, Store};

#[path = "support/test_shim.rs"]
mod test_shim;

/// An instance of a linked module. The store holds the names that stubs have reported.
struct Vm {
    store: Store<Vec<String>>,
    instance: Instance,
}

impl Vm {
    /// Links and instantiates the module of a case of `tests/link`.
    fn of_case(case: &str) -> Self {
        let path = format!(
            "{}/tests/link/{case}/module.wat",
            env!("CARGO_MANIFEST_DIR")
        );
        Self::new(&wat::parse_file(path).expect("the case assembles"))
    }

    fn of_text(module: &str) -> Self {
        Self::new(&wat::parse_str(module).expect("the module assembles"))
    }

    fn new(module: &[u8]) -> Self {
        let shim = test_shim::test_shim();
        let linker = Linker::new(&shim).expect("the test shim keeps the contract");
        let linked = linker.link(module).expect("the module links");
        let mut config = Config::new();
        config.wasm_exceptions(true);
        let engine = Engine::new(&config).expect("an engine");
        let component = Component::new(&engine, linked.component).expect("the component compiles");
        let mut linker = wasmtime::component::Linker::<Vec<String>>::new(&engine);
        let mut host = linker.instance("host").expect("a new name");
        host.func_wrap("report", |mut store, (name,): (String,)| {
            store.data_mut().push(name);
            Ok(())
        })
        .expect("a new name");
        let mut store = Store::new(&engine, Vec::new());
        let instance = linker
            .instantiate(&mut store, &component)
            .expect("it instantiates");
        Self { store, instance }
    }

    fn try_call<P, R>(&mut self, export: &str, params: P) -> wasmtime::Result<R>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        let function = self
            .instance
            .get_typed_func::<P, R>(&mut self.store, export)?;
        function.call(&mut self.store, params)
    }

    fn call<P>(&mut self, export: &str, params: P)
    where
        P: ComponentNamedList + Lower,
    {
        self.try_call::<P, ()>(export, params).expect("no trap");
    }

    fn get<P>(&mut self, export: &str, params: P) -> u32
    where
        P: ComponentNamedList + Lower,
    {
        self.try_call::<P, (u32,)>(export, params)
            .expect("no trap")
            .0
    }
}

/// What `take-exit` gives for an exit code.
fn exit(code: u32) -> u32 {
    code + 1
}

#[test]
fn an_absent_callback_returns_its_default() {
    let mut vm = Vm::of_case("minimal");
    vm.call("start", ());
    assert_eq!(vm.get("allocate", (8_u32,)), 1024);
    assert_eq!(vm.get("on-configure", (1_u32, 0_u32)), 1);
    assert_eq!(vm.get("on-request-headers", (2_u32, 3_u32, 1_u32)), 0);
    vm.call("on-tick", (1_u32,));
    assert_eq!(vm.get("take-exit", ()), 0);
    assert_eq!(vm.get("abi-version", ()), 201);
    let callbacks = vm.try_call::<_, (u64,)>("callbacks", ()).expect("no trap");
    assert_eq!(callbacks, (0,));
}

#[test]
fn a_callback_gets_as_many_parameters_as_it_takes() {
    let mut vm = Vm::of_case("abi-0-1-0-long-callbacks");
    assert_eq!(vm.get("abi-version", ()), 100);
    assert_eq!(vm.get("on-request-headers", (7_u32, 8_u32, 9_u32)), 9);
    let mut vm = Vm::of_case("abi-0-2-0-short-callbacks");
    assert_eq!(vm.get("abi-version", ()), 200);
    assert_eq!(vm.get("on-request-headers", (7_u32, 8_u32, 9_u32)), 8);
}

#[test]
fn the_callbacks_are_bits_in_the_order_of_the_abi() {
    let mut vm = Vm::of_case("all-callbacks");
    let callbacks = vm.try_call::<_, (u64,)>("callbacks", ()).expect("no trap");
    assert_eq!(
        callbacks,
        ((1 << proxy_wasi_abi::callback::CALLBACKS.len()) - 1,)
    );
    let mut vm = Vm::of_case("proc-exit");
    let callbacks = vm.try_call::<_, (u64,)>("callbacks", ()).expect("no trap");
    let index = |name| proxy_wasi_abi::callback::callback_index(name).expect("a callback");
    let expected = 1 << index("proxy_on_tick") | 1 << index("proxy_on_configure");
    assert_eq!(callbacks, (expected,));
}

#[test]
fn start_runs_the_steps_in_their_order() {
    // Each step appends its digit to a number in memory; `main` also adds its two arguments.
    let mut vm = Vm::of_text(
        r#"(module
            (memory (export "memory") 1)
            (func $append (param i32)
                (i32.store (i32.const 8) (i32.add (i32.mul (i32.load (i32.const 8)) (i32.const 10)) (local.get 0))))
            (func $start (call $append (i32.const 1)))
            (start $start)
            (func (export "_start") (call $append (i32.const 9)))
            (func (export "_initialize") (call $append (i32.const 2)))
            (func (export "main") (param i32 i32) (result i32)
                (call $append (i32.add (i32.const 3) (i32.add (local.get 0) (local.get 1)))) (i32.const 1))
            (func (export "__main_void") (result i32) (call $append (i32.const 4)) (i32.const 1))
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 0)))"#,
    );
    assert_eq!(
        vm.get("load-u32", (8_u32,)),
        0,
        "nothing runs at instantiation"
    );
    vm.call("start", ());
    assert_eq!(vm.get("load-u32", (8_u32,)), 123);
    assert_eq!(vm.get("take-exit", ()), 0);
}

#[test]
fn a_start_section_may_call_hostcalls() {
    let mut vm = Vm::of_case("start-section");
    vm.call("start", ());
    assert_eq!(vm.get("take-exit", ()), 0);
}

#[test]
fn an_exit_ends_the_call_and_is_told_once() {
    let mut vm = Vm::of_case("proc-exit");
    vm.call("start", ());
    assert_eq!(vm.get("take-exit", ()), exit(0));
    assert_eq!(vm.get("take-exit", ()), 0);
    vm.call("on-tick", (255_u32,));
    assert_eq!(vm.get("take-exit", ()), exit(255));
    assert_eq!(vm.get("allocate", (3_u32,)), 0);
    assert_eq!(vm.get("take-exit", ()), exit(3));
}

#[test]
fn the_largest_exit_code_does_not_read_as_no_exit() {
    let mut vm = Vm::of_case("proc-exit");
    vm.call("on-tick", (u32::MAX,));
    assert_eq!(vm.get("take-exit", ()), u32::MAX);
}

#[test]
fn an_exit_in_the_allocator_ends_the_hostcall_and_its_caller() {
    let mut vm = Vm::of_case("proc-exit");
    assert_eq!(vm.get("on-configure", (1_u32, 42_u32)), 0);
    assert_eq!(vm.get("take-exit", ()), exit(42));
}

#[test]
fn stubs_report_their_names_and_answer() {
    let mut vm = Vm::of_text(
        r#"(module
            (import "env" "proxy_first" (func $first (param i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_teleport" (func $second (result i32)))
            (import "env" "ünïcode" (func $third))
            (import "env" "proxy_first" (func $again (param i32) (result i32)))
            (import "gojs" "number" (func $number (result i32)))
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (call $number))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (call $third)
                (i32.add (i32.mul (call $first (i32.const 0)) (i32.const 100)) (call $second)))
            (func (export "proxy_on_tick") (param i32) (drop (call $again (i32.const 0)))))"#,
    );
    assert_eq!(vm.get("on-configure", (1_u32, 0_u32)), 1252);
    vm.call("on-tick", (1_u32,));
    let names = [
        "env.ünïcode",
        "env.proxy_first",
        "wasi_snapshot_preview1.fd_teleport",
        "env.proxy_first",
    ];
    assert_eq!(*vm.store.data(), names);
    vm.try_call::<_, (u32,)>("allocate", (1_u32,))
        .expect_err("no answer is honest");
    assert_eq!(
        vm.store.data().last().map(String::as_str),
        Some("gojs.number")
    );
}

#[test]
fn variants_reach_the_hostcall_in_its_own_order() {
    let mut vm = Vm::of_case("import-adapted");
    // service, …, method length, no metadata, message, …, token
    assert_eq!(vm.get("on-request-headers", (1_u32, 1_u32, 1_u32)), 3);
    let arguments: Vec<u32> = (0..6_u32)
        .map(|index| vm.get("hostcall-argument", (index,)))
        .collect();
    assert_eq!(arguments, [100, 105, 0, 0, 106, 109]);
    assert_eq!(vm.get("on-configure", (1_u32, 1_u32)), 4);
    let arguments: Vec<u32> = (0..3_u32)
        .map(|index| vm.get("hostcall-argument", (index,)))
        .collect();
    assert_eq!(arguments, [205, 0, 206]);
    vm.call("on-tick", (1_u32,));
    assert_eq!(vm.get("hostcall-argument", (0_u32,)), 77);
}

#[test]
fn the_shim_reaches_the_legacy_memory() {
    let mut vm = Vm::of_case("segments-neighbours");
    assert_eq!(vm.get("memory-pages", ()), 1);
    assert_eq!(
        vm.get("load-u32", (1024_u32,)),
        u32::from_le_bytes(*b"firs")
    );
    assert_eq!(
        vm.get("load-u32", (1033_u32,)),
        u32::from_le_bytes(*b"econ")
    );
    vm.call("store-u32", (65532_u32, 0x0102_0304_u32));
    assert_eq!(vm.get("load-u32", (65532_u32,)), 0x0102_0304);
    vm.call("store-u64", (3_u32, 0x1122_3344_5566_7788_u64));
    assert_eq!(vm.get("load-u32", (7_u32,)), 0x1122_3344);
    vm.call("copy", (4096_u32, 1024_u32, 6_u32));
    assert_eq!(
        vm.get("load-u32", (4096_u32,)),
        u32::from_le_bytes(*b"firs")
    );
    vm.try_call::<_, (u32,)>("load-u32", (65533_u32,))
        .expect_err("out of bounds");
}

#[test]
fn an_imported_memory_is_there_and_filled() {
    let mut vm = Vm::of_case("memory-imported");
    assert_eq!(vm.get("memory-pages", ()), 2);
    assert_eq!(vm.get("load-u32", (8_u32,)), u32::from_le_bytes(*b"here"));
}

#[test]
fn overlapping_segments_keep_their_order() {
    let mut vm = Vm::of_case("segments-overlapping");
    assert_eq!(vm.get("load-u32", (98_u32,)), u32::from_le_bytes(*b"..ab"));
    assert_eq!(vm.get("load-u32", (102_u32,)), u32::from_le_bytes(*b"XYef"));
}

#[test]
fn segments_left_behind_are_written_too() {
    let mut vm = Vm::of_case("segments-not-constant");
    assert_eq!(vm.get("load-u32", (512_u32,)), u32::from_le_bytes(*b"ays "));
    assert_eq!(vm.get("load-u32", (16_u32,)), u32::from_le_bytes(*b"stay"));
}

#[test]
fn code_that_names_segments_still_finds_them() {
    let mut vm = Vm::of_case("segments-counted");
    vm.call("on-tick", (1_u32,));
    assert_eq!(vm.get("load-u32", (0_u32,)), u32::from_le_bytes(*b"pass"));
    assert_eq!(vm.get("load-u32", (64_u32,)), u32::from_le_bytes(*b"acti"));
}

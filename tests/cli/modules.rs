//! Plugins in WebAssembly text, as small as a case allows.

use std::fmt::Write;

use proxy_wasi_abi::hostcall::HOSTCALLS;
use proxy_wasi_abi::pairs;
use proxy_wasi_abi::signature::{Signature, ValueType};

/// A legacy module with nothing but what every one has.
pub(crate) const MINIMAL: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32)))"#;

/// A legacy module with one import of each kind that there is.
pub(crate) const ODD_IMPORTS: &str = r#"(module
  (import "env" "proxy_log" (func (param i32 i32 i32) (result i32)))
  (import "env" "proxy_frobnicate" (func (param i32) (result i32)))
  (import "env" "proxy_frobnicate_much" (func (param i64) (result f64)))
  (import "env" "proxy_grpc_call" (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_status" (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_surf" (func (param i32) (result i32)))
  (memory (export "memory") 2 256)
  (func (export "proxy_abi_version_0_1_0"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "_start"))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_grpc_trailing_metadata") (param i32 i32 i32)))"#;

/// A legacy module that logs and then refuses to start.
pub(crate) const REFUSES_START: &str = r#"(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "no licence found")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
    (drop (call $log (i32.const 3) (i32.const 16) (i32.const 16)))
    (i32.const 0)))"#;

/// A legacy module that refuses any configuration.
pub(crate) const REFUSES_CONFIGURATION: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0)))"#;

/// A legacy module that traps when it is configured.
pub(crate) const TRAPS: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func $parse_rules unreachable)
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (call $parse_rules)
    (i32.const 1)))"#;

/// A legacy module of which one function body is not valid.
pub(crate) const INVALID_BODY: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i64.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32)))"#;

/// A component of another world.
pub(crate) const OTHER_COMPONENT: &str = r#"(component
  (import "acme:greeter/greet" (instance (export "greet" (func))))
  (core module (func (export "f")))
  (core instance $i (instantiate 0))
  (func $f (canon lift (core func $i "f")))
  (instance $run (export "run" (func $f)))
  (export "wasi:cli/run@0.2.0" (instance $run)))"#;

/// A component with the exports of a plugin, but nothing in them.
pub(crate) const HOLLOW_PLUGIN: &str = r#"(component
    (core module (func (result i32) (i32.const 0)))
    (instance $nothing)
    (export "proxy-wasm:plugin/lifecycle@0.1.0" (instance $nothing))
    (export "proxy-wasm:plugin/http-filter@0.1.0" (instance $nothing)))"#;

/// A legacy module that calls every hostcall when its VM starts, logs `answers 12: NAME` for those that do, and then
/// refuses to start.
pub(crate) fn calls_all_hostcalls() -> String {
    let (mut imports, mut calls) = (String::new(), String::new());
    let request_head: String = request_head()
        .iter()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let mut data = format!("(data (i32.const {REQUEST_HEAD_AT}) \"{request_head}\")");
    for (at, hostcall) in HOSTCALLS
        .iter()
        .filter(|hostcall| hostcall.name.starts_with("proxy_"))
        .enumerate()
    {
        let name = hostcall.name;
        let Signature { params, result } = hostcall.signature;
        let types: String = params
            .iter()
            .map(|param| format!(" {}", value_type(*param)))
            .collect();
        let result = value_type(result.expect("hostcalls answer"));
        writeln!(
            imports,
            "(import \"env\" \"{name}\" (func ${name} (param{types}) (result {result})))"
        )
        .unwrap();

        let text = format!("answers 12: {name}");
        let (offset, length) = (1024 + 128 * at, text.len());
        writeln!(data, "(data (i32.const {offset}) \"{text}\")").unwrap();
        let arguments = params.iter().enumerate().map(|(index, param)| {
            format!("({}.const {})", value_type(*param), argument(name, index))
        });
        let arguments: String = arguments.collect();
        writeln!(
            calls,
            "(if (i32.eq (call ${name} {arguments}) (i32.const 12))
               (then (drop (call $proxy_log (i32.const 2) (i32.const {offset}) (i32.const {length})))))"
        )
        .unwrap();
    }
    format!(
        r#"(module
  {imports}
  (memory (export "memory") 2)
  {data}
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
    {calls}
    (i32.const 0)))"#
    )
}

/// Where the module keeps a request head for `proxy_http_call`.
const REQUEST_HEAD_AT: usize = 512;

fn request_head() -> Vec<u8> {
    pairs::encode([(":method", "GET"), (":path", "/"), (":authority", "a")])
}

/// An argument that gets as far as possible. At 4 there are four zero bytes: as a map, an empty one.
fn argument(hostcall: &str, index: usize) -> usize {
    match (hostcall, index) {
        ("proxy_define_metric", 0) => 0,
        ("proxy_http_call", 2) => REQUEST_HEAD_AT,
        ("proxy_http_call", 3) => request_head().len(),
        _ => 4,
    }
}

fn value_type(of: ValueType) -> &'static str {
    match of {
        ValueType::I32 => "i32",
        ValueType::I64 => "i64",
        ValueType::F64 => "f64",
    }
}

pub(crate) fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

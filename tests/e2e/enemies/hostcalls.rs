//! Host calls with arguments that make no sense, to every function that a module can import.

use proxy_wasi_abi::hostcall::HOSTCALLS;
use proxy_wasi_abi::signature::{Signature, ValueType};
use proxy_wasi_abi::wasi::WASI;
use proxy_wasi_test_support::{Example, Kind, Proxy};

use super::{Healthy, text};
use crate::{configuration, module, proxy};

/// These end the VM, as they are to.
const ENDS: &[&str] = &["abort", "proc_exit", "proc_raise"];

/// A function that a module imports.
struct Import {
    number: usize,
    module: &'static str,
    name: &'static str,
    signature: Signature,
}

/// All functions but those that end the VM.
fn imports() -> Vec<Import> {
    let env = HOSTCALLS
        .iter()
        .map(|hostcall| ("env", hostcall.name, hostcall.signature));
    let wasi = WASI
        .iter()
        .map(|function| ("wasi_snapshot_preview1", function.name, function.signature));
    let functions = env.chain(wasi).filter(|(_, name, _)| !ENDS.contains(name));
    functions
        .enumerate()
        .map(|(number, (module, name, signature))| Import {
            number,
            module,
            name,
            signature,
        })
        .collect()
}

impl Import {
    /// The import, as `$f` and the number.
    fn declaration(&self) -> String {
        let Self {
            number,
            module,
            name,
            signature,
        } = self;
        let params: Vec<_> = signature.params.iter().map(wat_type).collect();
        let result = signature
            .result
            .map(|result| format!("(result {})", wat_type(&result)))
            .unwrap_or_default();
        let params = params.join(" ");
        format!("(import \"{module}\" \"{name}\" (func $f{number} (param {params}) {result}))\n")
    }

    /// A call with an expression of type i32 for each parameter. What it returns must be a status, if it is one.
    fn call(&self, argument: impl Fn(usize) -> String) -> String {
        let types = self.signature.params.iter().map(wat_type).enumerate();
        let arguments: String = types
            .map(|(at, wat_type)| match wat_type {
                "i32" => argument(at),
                "i64" => format!("(i64.extend_i32_s {})", argument(at)),
                wide => format!("({wide}.convert_i32_s {})", argument(at)),
            })
            .collect();
        let call = format!("(call $f{} {arguments})", self.number);
        // The last of Envoy's statuses, and of WASI's.
        let last = if self.module == "env" { 12 } else { 76 };
        let is_status = self.name.starts_with("proxy_") || self.module != "env";
        match self.signature.result {
            Some(_) if is_status => format!("(call $status (i32.const {last}) {call})\n"),
            Some(_) => format!("(drop {call})\n"),
            None => format!("{call}\n"),
        }
    }
}

fn wat_type(of: &ValueType) -> &'static str {
    match of {
        ValueType::I32 => "i32",
        ValueType::I64 => "i64",
        ValueType::F64 => "f64",
    }
}

/// A module with all imports, what every module needs but an allocator, and `$status`, which traps if its second argument
/// is more than its first.
fn module_with(imports: &[Import], rest: &str) -> String {
    let imports: String = imports.iter().map(Import::declaration).collect();
    format!(
        r#"(module
            {imports}
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func $status (param $last i32) (param $status i32)
                (if (i32.gt_u (local.get $status) (local.get $last)) (then unreachable)))
            {rest})"#
    )
}

fn serve(enemy: &str) -> Proxy {
    let config = format!(
        "limits: {{ callback_time: 1m }}\n\
         plugins:\n\
         - {{ name: healthy, file: {} }}\n\
         - {{ name: enemy, file: {} }}\n",
        text(&Example::Observe.file(Kind::Legacy)),
        text(&module(enemy)),
    );
    proxy().arg("--config").arg(configuration(&config)).start()
}

/// The same wild number for all parameters, in each phase, and an allocator that answers with another: nothing happens
/// to the exchange.
#[test]
fn wild_pointers_and_lengths_are_statuses() {
    let imports = imports();
    let calls: String = imports
        .iter()
        .map(|import| import.call(|_| "(local.get $wild)".to_owned()))
        .collect();
    let wild: String = [-1_i32, i32::MAX, i32::MIN, 0xffff, 0x10000, -16]
        .iter()
        .map(|wild| format!("(call $all (i32.const {wild}))"))
        .collect();
    let proxy = serve(&module_with(
        &imports,
        &format!(
            r#"(func (export "malloc") (param i32) (result i32) (i32.const -16))
            (func $all (param $wild i32) {calls})
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                {wild} (i32.const 0))
            (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
                {wild} (i32.const 0))
            (func (export "proxy_on_log") (param i32) {wild})"#
        ),
    ));
    let mut healthy = Healthy::find(&proxy);
    for _ in 0..3 {
        let reply = proxy.get("/");
        assert_eq!(reply.status, 200, "{}", proxy.log());
        healthy.passed(&reply);
    }
    assert!(!proxy.log().contains("trapped"), "{}", proxy.log());
}

/// Every mixture of a small number and a wild one for the parameters of each function, so that checks are met that come
/// behind others. What they do to the exchange may be anything, and all else goes on.
#[test]
fn any_mixture_of_numbers_is_answered() {
    let imports = imports();
    let functions: String = imports.iter().map(mixtures).collect();
    let mut calls = String::new();
    for small in [0, 1, 1024] {
        for wild in [-1, i32::MAX, 0x10000] {
            for import in &imports {
                calls += &format!(
                    "(call $mix{} (i32.const {small}) (i32.const {wild}))\n",
                    import.number
                );
            }
        }
    }
    // Each callback has its turn with one request.
    let turn = |turn: usize| {
        format!("(if (i32.eq (global.get $request) (i32.const {turn})) (then (call $all)))")
    };
    let proxy = serve(&module_with(
        &imports,
        &format!(
            r#"(global $request (mut i32) (i32.const 0))
            (func (export "malloc") (param i32) (result i32) (i32.const 2048))
            {functions}
            (func $all {calls})
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (call $all) (i32.const 1))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (global.set $request (i32.add (global.get $request) (i32.const 1)))
                {} (i32.const 0))
            (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
                {} (i32.const 0))
            (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
                {} (i32.const 0))
            (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
                {} (i32.const 0))
            (func (export "proxy_on_log") (param i32) {})"#,
            turn(1),
            turn(2),
            turn(3),
            turn(4),
            turn(5),
        ),
    ));
    for request in 1..=5 {
        // The exchange may be answered or reset by what is called in it.
        let reply = proxy.client().post("/", &[], &["some ", "body"], &[]);
        if let Ok(reply) = &reply {
            assert!(reply.status.as_u16() >= 200, "request {request}");
        }
    }
    let reply = proxy.get("/");
    assert_eq!(reply.status, 200, "{}", proxy.log());
    assert!(!proxy.log().contains("trapped"), "{}", proxy.log());
}

/// The function `$mix` and the number, which calls an import with each mixture of its two arguments.
fn mixtures(import: &Import) -> String {
    let call = import.call(|at| {
        format!(
            "(select (local.get $wild) (local.get $small) (i32.and (local.get $mask) (i32.const {})))",
            1_u32 << at
        )
    });
    let mixtures = 1_u32 << import.signature.params.len();
    format!(
        "(func $mix{} (param $small i32) (param $wild i32) (local $mask i32)
            (loop $again
                {call}
                (local.set $mask (i32.add (local.get $mask) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $mask) (i32.const {mixtures})))))\n",
        import.number
    )
}

/// An allocator that calls everything, in the midst of the host call that needs memory: what it changes is what that
/// call meets.
#[test]
fn an_allocator_may_call_everything() {
    let imports = imports();
    let number = |name: &str| {
        let mut imports = imports.iter();
        imports.find(|import| import.name == name).unwrap().number
    };
    let calls: String = [0, 1, 1024]
        .iter()
        .flat_map(|value| imports.iter().map(move |import| (value, import)))
        .map(|(value, import)| import.call(|_| format!("(i32.const {value})")))
        .collect();
    let (pairs, bytes, property) = (
        number("proxy_get_header_map_pairs"),
        number("proxy_get_buffer_bytes"),
        number("proxy_get_property"),
    );
    let proxy = serve(&module_with(
        &imports,
        &format!(
            r#"(global $busy (mut i32) (i32.const 0))
            (data (i32.const 16) "plugin_name")
            (func (export "malloc") (param i32) (result i32)
                (if (i32.eqz (global.get $busy)) (then
                    (global.set $busy (i32.const 1))
                    {calls}
                    (global.set $busy (i32.const 0))))
                (i32.const 2048))
            (func $get
                (call $status (i32.const 12) (call $f{pairs} (i32.const 0) (i32.const 0) (i32.const 4)))
                (call $status (i32.const 12) (call $f{bytes} (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 4)))
                (call $status (i32.const 12) (call $f{property} (i32.const 16) (i32.const 11) (i32.const 0) (i32.const 4))))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (call $get) (i32.const 0))
            (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
                (call $get) (i32.const 0))
            (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
                (call $get) (i32.const 0))
            (func (export "proxy_on_log") (param i32) (call $get))"#
        ),
    ));
    for _ in 0..3 {
        // It closes the stream, among the rest.
        let reply = proxy.client().post("/", &[], &["some ", "body"], &[]);
        assert!(reply.is_err(), "{reply:?}");
    }
    assert!(!proxy.log().contains("trapped"), "{}", proxy.log());
}

//! Plugins that misbehave, each before a healthy one on the same worker: the healthy one keeps its VM, and every
//! request but those that the enemy has caught goes on as if it were not there.

use proxy_wasi_abi::hostcall::HOSTCALLS;
use proxy_wasi_abi::signature::ValueType;
use proxy_wasi_abi::wasi::WASI;
use proxy_wasi_test_support::{Example, Kind, Proxy, Reply};

use crate::{both_kinds, module, proxy, text};

both_kinds!(
    a_callback_without_end_is_ended,
    memory_ends_at_the_limit,
    recursion_ends_on_the_stack,
    a_flood_of_log_messages_is_cut,
    a_flood_of_output_is_cut,
    header_fields_end_at_the_limit,
    properties_end_at_the_limit,
    a_trap_at_the_end_of_a_stream_costs_nobody_else,
    a_trap_names_who_and_where,
    closed_and_restart,
    open_and_restart,
    closed_and_never,
    open_and_never,
    envoys_policies_go_by_name,
);

/// A proxy with a healthy plugin and an enemy. What it is told is short, so that tests are.
fn besieged(kind: Kind, policy: &str) -> Proxy {
    let config = format!(
        "limits: {{ callback_time: 200ms, vm_memory: 32MiB }}\n\
         plugins:\n\
         - {{ name: healthy, file: {} }}\n\
         - {{ name: enemy, file: {}, {policy} }}\n",
        text(&Example::Observe.file(kind)),
        text(&Example::Enemy.file(kind)),
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    std::fs::write(&file, config).unwrap();
    proxy().arg("--config").arg(file).admin().start()
}

fn ask(proxy: &Proxy, enemy: &str) -> Reply {
    proxy.client().get("/", &[("x-enemy", enemy)])
}

/// The healthy plugin, and what it has to show: the same VM all the time, and the number of requests.
struct Healthy {
    vm: String,
    requests: u32,
}

impl Healthy {
    fn find(proxy: &Proxy) -> Self {
        let reply = proxy.get("/");
        assert_eq!(reply.status, 200);
        Self {
            vm: reply.header("x-vm").unwrap(),
            requests: 1,
        }
    }

    /// A reply that came through it.
    fn passed(&mut self, reply: &Reply) {
        self.requests += 1;
        assert_eq!(reply.header("x-vm").as_ref(), Some(&self.vm));
        assert_eq!(reply.header("x-count"), Some(self.requests.to_string()));
    }
}

/// One request meets the enemy; the healthy plugin and the requests around it do not notice.
fn survives(kind: Kind, enemy: &str, report: &[&str]) {
    let proxy = besieged(kind, "failure_policy: closed");
    let mut healthy = Healthy::find(&proxy);
    let caught = ask(&proxy, enemy);
    assert_eq!(caught.status, 503, "{caught:?}");
    healthy.passed(&caught);
    let line = proxy.wait_for_log(report);
    assert!(line.contains("plugin `enemy`"), "{line}");
    // The enemy is back at once, in a new VM.
    for _ in 0..3 {
        let reply = proxy.get("/");
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("x-enemy-was-here").as_deref(), Some("yes"));
        healthy.passed(&reply);
    }
}

fn a_callback_without_end_is_ended(kind: Kind) {
    survives(kind, "spin", &["trapped in `on-request-headers`", "longer"]);
}

fn memory_ends_at_the_limit(kind: Kind) {
    survives(kind, "allocate", &["trapped in `on-request-headers`"]);
}

fn recursion_ends_on_the_stack(kind: Kind) {
    survives(kind, "recurse", &["trapped in `on-request-headers`"]);
}

/// Nobody can write that much into a log within the time of a callback, so the deadline alone would not do.
fn a_flood_of_log_messages_is_cut(kind: Kind) {
    flood(kind, "log");
}

fn a_flood_of_output_is_cut(kind: Kind) {
    flood(kind, "print");
}

fn flood(kind: Kind, enemy: &str) {
    let proxy = besieged(kind, "failure_policy: closed");
    let mut healthy = Healthy::find(&proxy);
    let caught = ask(&proxy, enemy);
    assert_eq!(caught.status, 503);
    healthy.passed(&caught);
    proxy.wait_for_log(&["trapped in `on-request-headers`", "longer"]);
    let bytes = proxy.log().len();
    assert!(bytes < 40 * 1024 * 1024, "{bytes} bytes of log");
    healthy.passed(&proxy.get("/"));
}

fn header_fields_end_at_the_limit(kind: Kind) {
    // The Rust SDK gives up at a status that it does not know, the component goes on until its time is over.
    survives(kind, "headers", &["trapped in `on-request-headers`"]);
}

fn properties_end_at_the_limit(kind: Kind) {
    // The Rust SDK gives up at a status that it does not know, the component goes on until its time is over.
    survives(kind, "properties", &["trapped in `on-request-headers`"]);
}

/// The response has gone already: the client has it whole.
fn a_trap_at_the_end_of_a_stream_costs_nobody_else(kind: Kind) {
    let proxy = besieged(kind, "failure_policy: closed");
    let mut healthy = Healthy::find(&proxy);
    let reply = ask(&proxy, "end");
    assert_eq!(reply.status, 200);
    healthy.passed(&reply);
    proxy.wait_for_log(&["plugin `enemy` trapped in `on-stream-end`"]);
    let reply = proxy.get("/");
    assert_eq!(reply.status, 200);
    healthy.passed(&reply);
}

fn a_trap_names_who_and_where(kind: Kind) {
    let proxy = besieged(kind, "failure_policy: closed");
    let id = [("x-enemy", "trap"), ("x-request-id", "the-one")];
    assert_eq!(proxy.client().get("/", &id).status, 503);
    let line = proxy.wait_for_log(&["trapped"]);
    for part in [
        "plugin `enemy` trapped in `on-request-headers` of request the-one: ",
        "_enemy::trap",
    ] {
        assert!(line.contains(part), "no `{part}` in: {line}");
    }
    let said = proxy.wait_for_log(&["the request asks for it"]);
    assert!(said.contains("enemy"), "the panic's own words: {said}");
}

/// Every function that a module can import, with wild numbers for all its parameters, and an allocator that answers
/// with another: statuses come back, and nothing else happens.
#[test]
fn wild_pointers_and_lengths_are_statuses() {
    let proxy = proxy()
        .arg(Example::Observe.file(Kind::Legacy))
        .arg(module(&wild_module()))
        .start();
    let mut healthy = Healthy::find(&proxy);
    for _ in 0..3 {
        let reply = proxy.get("/");
        assert_eq!(reply.status, 200, "{}", proxy.log());
        healthy.passed(&reply);
    }
    assert!(!proxy.log().contains("trapped"), "{}", proxy.log());
}

fn wild_module() -> String {
    // These end the VM, as they are to.
    const ENDS: &[&str] = &["abort", "proc_exit", "proc_raise"];
    let env = HOSTCALLS
        .iter()
        .map(|hostcall| ("env", hostcall.name, hostcall.signature));
    let wasi = WASI
        .iter()
        .map(|function| ("wasi_snapshot_preview1", function.name, function.signature));
    let functions = env.chain(wasi).filter(|(_, name, _)| !ENDS.contains(name));
    let (mut imports, mut calls) = (String::new(), String::new());
    for (number, (module, name, signature)) in functions.enumerate() {
        let types: Vec<_> = signature.params.iter().map(wat_type).collect();
        let result = signature
            .result
            .map(|result| format!("(result {})", wat_type(&result)))
            .unwrap_or_default();
        let types = types.join(" ");
        imports += &format!(
            "(import \"{module}\" \"{name}\" (func $f{number} (param {types}) {result}))\n"
        );
        let arguments: String = signature
            .params
            .iter()
            .map(|param| match wat_type(param) {
                "i32" => "(local.get $wild)".to_owned(),
                wide => format!("({wide}.extend_i32_s (local.get $wild))"),
            })
            .collect();
        let call = format!("(call $f{number} {arguments})");
        calls += &match signature.result {
            Some(_) => format!("(drop {call})\n"),
            None => format!("{call}\n"),
        };
    }
    let wild: String = [-1_i32, i32::MAX, i32::MIN, 0xffff, 0x10000, -16]
        .iter()
        .map(|wild| format!("(call $all (i32.const {wild}))"))
        .collect();
    format!(
        r#"(module
            {imports}
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const -16))
            (func $all (param $wild i32) {calls})
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                {wild} (i32.const 0))
            (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
                {wild} (i32.const 0))
            (func (export "proxy_on_log") (param i32) {wild}))"#
    )
}

fn wat_type(of: &ValueType) -> &'static str {
    match of {
        ValueType::I32 => "i32",
        ValueType::I64 => "i64",
        ValueType::F64 => "f64",
    }
}

/// With the log level `trace`, legacy modules are linked with the tracing build of the shim.
#[test]
fn a_trap_of_a_traced_module_shows_what_it_did_before() {
    let proxy = proxy()
        .arg(Example::Enemy.file(Kind::Legacy))
        .args(["--name", "enemy", "--log-level", "trace"])
        .start();
    assert_eq!(ask(&proxy, "trap").status, 503);
    let line = proxy.wait_for_log(&["plugin `enemy` trapped"]);
    let (_, hostcalls) = line.split_once("; last hostcalls: ").unwrap();
    // The request's map is 0, and the panic is logged at level 5.
    assert!(
        hostcalls.contains("proxy_get_header_map_value(0, "),
        "{line}"
    );
    assert!(hostcalls.contains("proxy_log(5, "), "{line}");
    assert!(hostcalls.ends_with("-> 0"), "{line}");
    proxy.wait_for_log(&["TRACE plugin: proxy_get_header_map_value(0, ", "-> 0"]);
}

/// What five requests get when each second one of a VM is its end: 1 passes, 2 traps, 3 meets a new VM, 4 traps it, and
/// 5 finds none, since the second restart has to wait.
fn five(proxy: &Proxy, healthy: &mut Healthy) -> Vec<(u16, bool)> {
    (0..5)
        .map(|_| {
            let reply = ask(proxy, "second");
            healthy.passed(&reply);
            let seen = reply.header("x-enemy-was-here").is_some();
            (reply.status.as_u16(), seen)
        })
        .collect()
}

fn closed_and_restart(kind: Kind) {
    let proxy = besieged(kind, "failure_policy: closed, recovery: restart");
    let got = five(&proxy, &mut Healthy::find(&proxy));
    let refused = (503, false);
    assert_eq!(got, [(200, true), refused, (200, true), refused, refused]);
    // It comes back by itself.
    proxy.wait_for_lines("plugin VM restarted", 2);
    assert_eq!(
        proxy.get("/").header("x-enemy-was-here").as_deref(),
        Some("yes")
    );
}

fn open_and_restart(kind: Kind) {
    let proxy = besieged(kind, "failure_policy: open, recovery: restart");
    let got = five(&proxy, &mut Healthy::find(&proxy));
    let skipped = (200, false);
    assert_eq!(got, [(200, true), skipped, (200, true), skipped, skipped]);
    proxy.wait_for_lines("plugin VM restarted", 2);
}

fn closed_and_never(kind: Kind) {
    let proxy = besieged(kind, "failure_policy: closed, recovery: never");
    let got = five(&proxy, &mut Healthy::find(&proxy));
    let refused = (503, false);
    assert_eq!(got, [(200, true), refused, refused, refused, refused]);
}

fn open_and_never(kind: Kind) {
    let proxy = besieged(kind, "failure_policy: open, recovery: never");
    let got = five(&proxy, &mut Healthy::find(&proxy));
    let skipped = (200, false);
    assert_eq!(got, [(200, true), skipped, skipped, skipped, skipped]);
}

fn envoys_policies_go_by_name(kind: Kind) {
    for (policy, after) in [
        ("FAIL_CLOSED", 503),
        ("FAIL_OPEN", 200),
        ("FAIL_RELOAD", 200),
    ] {
        let proxy = besieged(kind, &format!("failure_policy: {policy}"));
        let mut healthy = Healthy::find(&proxy);
        healthy.passed(&ask(&proxy, "trap"));
        let reply = proxy.get("/");
        assert_eq!(reply.status, after, "{policy}");
        let back = policy == "FAIL_RELOAD";
        assert_eq!(reply.header("x-enemy-was-here").is_some(), back, "{policy}");
    }
}

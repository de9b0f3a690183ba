//! Plugins that misbehave, each before a healthy one on the same worker: the healthy one keeps its VM, and every
//! request but those that the enemy has caught goes on as if it were not there.

mod hostcalls;
mod restarts;
mod traps;

use proxy_wasi_test_support::{Example, Kind, Origin, Proxy, Reply};

use crate::{both_kinds, configuration, proxy, text};

both_kinds!(
    a_callback_without_end_is_ended,
    memory_ends_at_the_limit,
    recursion_ends_on_the_stack,
    a_flood_of_log_messages_is_cut,
    a_flood_of_output_is_cut,
    header_fields_end_at_the_limit,
    properties_end_at_the_limit,
);

/// Failed VMs are built again at once, for ever.
const TIRELESS: &str = "{ first_wait: 1ms, longest_wait: 1ms, failures: 1000 }";

/// A proxy with a healthy plugin and an enemy, before the built-in upstream.
fn besieged(kind: Kind, policy: &str) -> Proxy {
    start(kind, policy, TIRELESS, None)
}

fn start(kind: Kind, policy: &str, restarts: &str, upstream: Option<&Origin>) -> Proxy {
    let upstream = upstream.map_or_else(String::new, |origin| {
        format!("upstream: {}\n", origin.h2c_url())
    });
    let config = format!(
        "{upstream}restarts: {restarts}\n\
         limits: {{ callback_time: 200ms, vm_memory: 32MiB }}\n\
         plugins:\n\
         - {{ name: healthy, file: {} }}\n\
         - {{ name: enemy, file: {}, {policy} }}\n",
        text(&Example::Observe.file(kind)),
        text(&Example::Enemy.file(kind)),
    );
    proxy()
        .arg("--config")
        .arg(configuration(&config))
        .admin()
        .start()
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
    let report = ["trapped in `on-request-headers`", "`limits.vm_memory`"];
    survives(kind, "allocate", &report);
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

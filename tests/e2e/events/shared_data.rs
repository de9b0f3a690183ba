//! Shared data across workers, VMs and failures.

use std::thread;

use proxy_wasi_test_support::{Example, Kind};

use super::{ask, chain, serve};
use crate::{both_kinds, proxy, text};

both_kinds!(
    a_value_is_read_back,
    a_vm_id_is_a_scope,
    workers_count_together,
    values_outlive_their_vm,
);

fn a_value_is_read_back(kind: Kind) {
    let proxy = serve(kind, "");
    assert_eq!(ask(&proxy, "/get/key"), "none");
    assert_eq!(ask(&proxy, "/set/key/value"), "done");
    assert_eq!(ask(&proxy, "/get/key"), "value");
    assert_eq!(ask(&proxy, "/set/key/other"), "done");
    assert_eq!(ask(&proxy, "/get/key"), "other");
}

fn a_vm_id_is_a_scope(kind: Kind) {
    // Equal `vm_id`s with different VM configurations are two VMs with one scope.
    let file = chain(
        kind,
        &[
            ("one", "vm_id: a, vm_configuration: '1'"),
            ("two", "vm_id: a, vm_configuration: '2'"),
            ("three", "vm_id: b"),
        ],
    );
    let proxy = proxy().args(["--config", text(file.path())]).start();
    assert_eq!(ask(&proxy, "/to/one/set/key/value"), "done");
    assert_eq!(ask(&proxy, "/to/two/get/key"), "value");
    assert_eq!(ask(&proxy, "/to/three/get/key"), "none");
}

fn workers_count_together(kind: Kind) {
    const CLIENTS: u32 = 8;
    const REQUESTS: u32 = 25;
    let proxy = proxy().workers(2).arg(Example::Events.file(kind)).start();
    assert_eq!(ask(&proxy, "/set/sum/0"), "done");
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            // Each connection goes to one worker or the other.
            scope.spawn(|| {
                let client = proxy.client();
                for _ in 0..REQUESTS {
                    assert_eq!(client.get("/add/sum", &[]).status, 200);
                }
            });
        }
    });
    assert_eq!(ask(&proxy, "/get/sum"), (CLIENTS * REQUESTS).to_string());
}

fn values_outlive_their_vm(kind: Kind) {
    let proxy = serve(kind, "");
    assert_eq!(ask(&proxy, "/set/key/value"), "done");
    assert_eq!(proxy.get("/trap").status, 503);
    proxy.wait_for_log(&["plugin VM restarted"]);
    assert_eq!(ask(&proxy, "/get/key"), "value");
}

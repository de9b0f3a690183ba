//! Shared queues: notices, across VMs, workers and failures.

use proxy_wasi_test_support::{Example, Kind};

use super::{ask, chain, serve};
use crate::{both_kinds, proxy, text};

both_kinds!(
    each_item_is_announced_once,
    another_vm_id_is_reached_by_its_name,
    one_worker_hears_of_the_items_of_all,
    items_outlive_a_vm_and_are_announced_to_the_next,
);

fn each_item_is_announced_once(kind: Kind) {
    let proxy = serve(kind, "queue=jobs");
    assert_eq!(ask(&proxy, "/put/-/nobody/item"), "no queue");
    assert_eq!(ask(&proxy, "/take/jobs"), "none");
    for item in ["1", "2", "3"] {
        assert_eq!(ask(&proxy, &format!("/put/-/jobs/{item}")), "done");
    }
    proxy.wait_for_log(&["item 3"]);
    proxy.terminate();
    let log = proxy.wait().stderr;
    let items: Vec<_> = log
        .lines()
        .filter_map(|line| line.split(" item ").nth(1))
        .collect();
    assert_eq!(items.len(), 3, "{log}");
    assert!(!log.contains("no item"), "{log}");
}

fn another_vm_id_is_reached_by_its_name(kind: Kind) {
    let file = chain(
        kind,
        &[
            ("sender", "vm_id: a"),
            ("receiver", "vm_id: b, configuration: queue=jobs"),
        ],
    );
    let proxy = proxy().args(["--config", text(file.path())]).start();
    assert_eq!(ask(&proxy, "/put/a/jobs/wrong"), "no queue");
    assert_eq!(ask(&proxy, "/put/b/jobs/right"), "done");
    let line = proxy.wait_for_log(&["item right"]);
    assert!(line.contains("plugin=\"receiver\""), "{line}");
}

fn one_worker_hears_of_the_items_of_all(kind: Kind) {
    const ITEMS: usize = 40;
    let proxy = proxy()
        .workers(2)
        .arg(Example::Events.file(kind))
        .args(["--plugin-config", "queue=jobs"])
        .start();
    for _ in 0..ITEMS {
        // A new connection each: some go to the one worker, some to the other.
        assert_eq!(ask(&proxy, "/put/-/jobs/shared"), "done");
    }
    proxy.wait_for_lines("item shared", ITEMS);
    assert_eq!(ask(&proxy, "/take/jobs"), "none");
    proxy.terminate();
    let log = proxy.wait().stderr;
    assert_eq!(log.matches("item shared").count(), ITEMS, "{log}");
    assert!(!log.contains("no item"), "{log}");
}

fn items_outlive_a_vm_and_are_announced_to_the_next(kind: Kind) {
    let proxy = serve(kind, "queue=jobs");
    for item in ["first", "trap", "last"] {
        assert_eq!(ask(&proxy, &format!("/put/-/jobs/{item}")), "done");
    }
    proxy.wait_for_log(&["item trap"]);
    // No request comes: the VM is built again by itself, and registers again.
    proxy.wait_for_lines("configured", 2);
    proxy.wait_for_log(&["item last"]);
}

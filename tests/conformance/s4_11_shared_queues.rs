//! Shared queues (ABI reference 4.11).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Module, both_kinds};

both_kinds!(
    registering_again_gives_the_same_queue,
    first_in_first_out,
    unknown_queues,
    resolve_finds_a_queue,
    each_item_is_one_notice,
    a_notice_goes_to_the_last_that_registered,
    a_notice_waits_for_the_callback_to_end,
    names_and_items_are_bounded,
    a_notice_acts_on_a_stream,
);

fn configure(kind: Kind, calls: &str) {
    Case::new(kind, &format!("configure:\n{calls}")).get();
}

fn registering_again_gives_the_same_queue(kind: Kind) {
    let script = "configure:
        register_shared_queue('queue', u32>one)
        enqueue_shared_queue($one, 'kept')
        register_shared_queue('queue', u32>again)
        register_shared_queue('other', u32)
        dequeue_shared_queue($again, out) => 0 'kept'";
    let report = Case::new(kind, script).get();
    let token = |id: &str| report.answers(id)[0][1].clone();
    assert_eq!(token("0.1"), token("0.3"));
    assert_ne!(token("0.1"), token("0.4"));
    assert_ne!(token("0.1"), "0");
}

fn first_in_first_out(kind: Kind) {
    configure(
        kind,
        "register_shared_queue('queue', u32>queue)
        dequeue_shared_queue($queue, out) => 7 unwritten | none
        enqueue_shared_queue($queue, 'one') => 0
        enqueue_shared_queue($queue, '') => 0
        enqueue_shared_queue($queue, 'two') => 0
        dequeue_shared_queue($queue, out) => 0 'one'
        dequeue_shared_queue($queue, out) => 0 null | 0 ''
        dequeue_shared_queue($queue, out) => 0 'two'
        dequeue_shared_queue($queue, out) => 7 | none",
    );
}

fn unknown_queues(kind: Kind) {
    configure(
        kind,
        "legacy dequeue_shared_queue(99, out) => 1
        legacy enqueue_shared_queue(99, 'item') => 1
        legacy dequeue_shared_queue(0, out) => 1
        resolve_shared_queue('', 'queue', u32) => 1 unwritten | not-found
        resolve_shared_queue('vm', 'queue', u32) => 1 unwritten | not-found",
    );
}

/// An empty `vm_id` means one's own; another's can be used too.
fn resolve_finds_a_queue(kind: Kind) {
    let owner = "configure:
            register_shared_queue('queue', u32>queue)
            resolve_shared_queue('', 'queue', u32) => 0 *
            resolve_shared_queue('owner', 'queue', u32>found) => 0 *
            enqueue_shared_queue($found, 'from the owner')
        log:
            dequeue_shared_queue($queue, out) => 0 'from another'";
    let other = "request_headers:
        resolve_shared_queue('', 'queue', u32) => 1 | not-found
        resolve_shared_queue('owner', 'queue', u32>queue) => 0 *
        dequeue_shared_queue($queue, out) => 0 'from the owner'
        enqueue_shared_queue($queue, 'from another')";
    let report = Case::new(kind, owner)
        .plugin("vm_id", "owner")
        .and(kind, other)
        .get();
    let token = |id: &str| report.answers(id)[0][1].clone();
    assert_eq!(token("0.1"), token("0.2"));
    assert_eq!(token("0.1"), token("0.3"));
}

fn each_item_is_one_notice(kind: Kind) {
    let script = "configure:
            register_shared_queue('queue', u32>queue)
        request_headers:
            enqueue_shared_queue($queue, 'one')
            enqueue_shared_queue($queue, 'two')
        queue_ready#1:
            dequeue_shared_queue($queue, out) => 0 'one'
            dequeue_shared_queue($queue, out) => 0 'two'
        queue_ready#2:
            dequeue_shared_queue($queue, out) => 7 | none // has been taken already";
    let report = Case::new(kind, script).run(|running| {
        running.get("/");
        running.wait_for("queue_ready", 2);
    });
    let token = report.answers("0.1")[0][1].clone();
    let notices: Vec<_> = report
        .callbacks("0")
        .into_iter()
        .filter(|text| text.starts_with("queue_ready"))
        .collect();
    assert_eq!(notices, vec![format!("queue_ready 1 {token}"); 2]);
}

fn a_notice_goes_to_the_last_that_registered(kind: Kind) {
    let registers = "configure:\n register_shared_queue('queue', u32)";
    let sends = "configure:
            register_shared_queue('queue', u32>queue)
        request_headers:
            enqueue_shared_queue($queue, 'item')";
    let case = Case::new(kind, registers)
        .plugin("vm_id", "a")
        .and(kind, sends)
        .plugin("vm_id", "a")
        .plugin("vm_configuration", "another VM");
    let report = case.run(|running| {
        running.get("/");
        running.wait_for_plugin("1", "queue_ready", 1);
    });
    let first = report.callbacks("0");
    assert!(
        !first.iter().any(|text| text.starts_with("queue_ready")),
        "{first:?}"
    );
}

fn a_notice_waits_for_the_callback_to_end(kind: Kind) {
    let script = "configure:
            register_shared_queue('queue', u32>queue)
        request_headers:
            enqueue_shared_queue($queue, 'item')
            dequeue_shared_queue($queue, out) => 0 'item' // nobody came in between
            enqueue_shared_queue($queue, 'item')
        queue_ready#1:
            dequeue_shared_queue($queue, out) => 0 'item'";
    Case::new(kind, script).run(|running| {
        running.get("/");
        running.wait_for("queue_ready", 1);
    });
}

/// In a stream context the root registers.
#[test]
fn a_stream_registers_for_its_root() {
    let script = "request_headers:
            register_shared_queue('queue', u32>queue)
            enqueue_shared_queue($queue, 'item')";
    let report = Case::legacy(script).run(|running| {
        running.get("/");
        running.wait_for("queue_ready", 1);
    });
    let callbacks = report.callbacks("0");
    assert!(
        callbacks
            .iter()
            .any(|text| text.starts_with("queue_ready 1 ")),
        "{callbacks:?}"
    );
}

/// A module without the callback has its queue all the same.
#[test]
fn queues_without_the_callback() {
    let module = Module::new().without("proxy_on_queue_ready");
    let script = "configure:
            register_shared_queue('queue', u32>queue)
            enqueue_shared_queue($queue, 'item')
        request_headers:
            dequeue_shared_queue($queue, out) => 0 'item'";
    Case::of(&module, script).get();
}

/// In Envoy the number is enough, wherever it comes from.
#[test]
fn a_queue_must_be_opened_in_the_vm_that_uses_it() {
    let owner = "configure:\n register_shared_queue('queue', u32) => 0 1";
    let other = "request_headers:
        enqueue_shared_queue(1, 'item') => 1
        resolve_shared_queue('owner', 'queue', u32) => 0 1
        enqueue_shared_queue(1, 'item') => 0";
    Case::legacy(owner)
        .plugin("vm_id", "owner")
        .and(Kind::Legacy, other)
        .get();
}

/// In Envoy they are not. What is refused is not put in.
fn names_and_items_are_bounded(kind: Kind) {
    configure(
        kind,
        "register_shared_queue(many('n' 1025), u32) => 10 * | limit-reached
        register_shared_queue('queue', u32>queue) => 0 *
        enqueue_shared_queue($queue, many('i' 1048577)) => 10 | limit-reached
        dequeue_shared_queue($queue, out) => 7 | none",
    );
}

/// It comes to the root context, which can choose a stream.
fn a_notice_acts_on_a_stream(kind: Kind) {
    let script = "configure:
            register_shared_queue('queue', u32>queue)
        request_headers:
            enqueue_shared_queue($queue, 'item')
            return(1)
        queue_ready:
            legacy get_header_map_value(0, ':path', out) => 2
            set_effective_context(2)
            get_header_map_value(0, ':path', out) => 0 '/'
            add_header_map_value(0, 'x-item', '1')
            continue_stream(0)";
    Case::new(kind, script).run(|running| {
        assert_eq!(running.get("/").echoed("x-item"), ["1"]);
    });
}

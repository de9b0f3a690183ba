//! The end of contexts, and failures (ABI reference 5).

use proxy_wasi_test_support::Kind;

use crate::harness::{CALL, Case, Upstream, both_kinds};

both_kinds!(
    s5_2_done_and_delete_of_a_root,
    s5_2_a_root_may_ask_for_time,
    s5_4_a_trap_answers_503,
    s5_4_fail_open_goes_on_without_the_plugin,
    s5_4_a_failed_grpc_request_gets_status_14,
    s5_4_bodies_and_responses_fail_too,
    s5_4_a_vm_that_stays_failed_answers_503,
    s5_4_callouts_end_with_their_vm,
);

/// Log, done, delete, once each.
#[test]
fn s5_2_log_done_delete() {
    let report = Case::legacy("").get();
    let callbacks = report.callbacks("0");
    assert_eq!(
        report.callbacks_from("log 2")[..3],
        ["log 2", "done 2", "delete 2"]
    );
    for name in ["log 2", "done 2", "delete 2"] {
        assert_eq!(callbacks.iter().filter(|text| *text == name).count(), 1);
    }
}

/// What `proxy_on_done` of a stream returns does not matter.
#[test]
fn s5_2_done_of_a_stream_cannot_keep_it() {
    let report = Case::legacy("done#1:\n return(0)").get();
    let callbacks = report.callbacks("0");
    assert!(callbacks.contains(&"delete 2".to_owned()), "{callbacks:?}");
}

/// Done, delete; no log.
fn s5_2_done_and_delete_of_a_root(kind: Kind) {
    let report = Case::new(kind, "").start().end();
    assert_eq!(report.callbacks_from("done 1"), ["done 1", "delete 1"]);
}

/// `proxy_on_done` that returns 0 keeps the root, and what comes to it, until `proxy_done`.
fn s5_2_a_root_may_ask_for_time(kind: Kind) {
    let script = "configure:
            done() => 1 | not-waiting
        done@1:
            done() => 1 | not-waiting // not yet
            set_tick_period_milliseconds(1)
            return(0)
        tick#2:
            done() => 0
            done() => 1 | * // once";
    let report = Case::new(kind, script).start().end();
    assert_eq!(
        report.callbacks_from("done 1"),
        ["done 1", "tick 1", "tick 1", "delete 1"]
    );
}

/// A client that leaves ends the stream like any other end does.
#[test]
fn s5_2_a_stream_that_breaks_off_is_logged_and_deleted() {
    let upstream = Upstream::new();
    let report = Case::legacy("").upstream(&upstream).run(|running| {
        let client = running.client_of_get();
        let _peer = upstream.accept();
        client.close();
        running.wait_for("delete", 1);
    });
    assert_eq!(
        report.callbacks_from("log 2")[..3],
        ["log 2", "done 2", "delete 2"]
    );
    assert_eq!(report.stream_callbacks(), ["request_headers end", "log"]);
}

/// After a trap nothing more of that VM is called; a new one serves the next stream.
fn s5_4_a_trap_answers_503(kind: Kind) {
    let script = "request_headers#1:\n trap()";
    // The script begins anew with the VM: every first request of a VM traps.
    let running = Case::new(kind, script).start();
    let reply = running.get("/");
    assert_eq!((reply.status.as_u16(), reply.text()), (503, ""));
    let log = running.log();
    let after = log.split("request_headers 2").nth(1).unwrap();
    for name in ["[[@0 log", "[[@0 done 2", "[[@0 delete 2", "[[@0 response"] {
        assert!(!after.contains(name), "{name} after a trap:\n{log}");
    }
}

fn s5_4_fail_open_goes_on_without_the_plugin(kind: Kind) {
    let running = Case::new(kind, "request_headers:\n trap()")
        .plugin("failure_policy", "open")
        .plugin("recovery", "never")
        .start();
    // The stream in which it failed cannot go on without it.
    running.get("/");
    let reply = running.get("/");
    assert_eq!(reply.status, 200);
}

fn s5_4_a_failed_grpc_request_gets_status_14(kind: Kind) {
    let running = Case::new(kind, "request_headers:\n trap()").start();
    let headers = [("content-type", "application/grpc")];
    let reply = running.proxy.client().get("/", &headers);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("grpc-status").as_deref(), Some("14"));
}

/// In whichever callback; nothing of the response that was to be looked at goes out.
fn s5_4_bodies_and_responses_fail_too(kind: Kind) {
    for callback in ["request_body", "response_headers"] {
        let running = Case::new(kind, &format!("{callback}:\n trap()")).start();
        assert_eq!(running.post("body").status, 503, "{callback}");
    }
    let upstream = Upstream::new();
    let running = Case::new(kind, "response_body:\n trap()")
        .upstream(&upstream)
        .start();
    running.get_is_cut_off_behind_the_head(&upstream);
}

fn s5_4_a_vm_that_stays_failed_answers_503(kind: Kind) {
    let running = Case::new(kind, "request_headers#1:\n trap()")
        .plugin("recovery", "never")
        .start();
    for _ in 0..3 {
        let reply = running.get("/");
        assert_eq!((reply.status.as_u16(), reply.text()), (503, ""));
    }
    let log = running.log();
    assert_eq!(log.matches("[[@0 request_headers").count(), 1, "{log}");
}

/// Nobody hears of their answers, not even the VM that is built in its place, whose own come as ever.
fn s5_4_callouts_end_with_their_vm(kind: Kind) {
    let auth = Upstream::new();
    // The script begins anew with the VM.
    let script = format!(
        "request_headers#1:
            {CALL}
        request_headers#2:
            trap()
        http_call_response:
            get_header_map_value(6, ':status', out) => 0 '204'"
    );
    let report = Case::calling(kind, &script, &auth).start_and(|running| {
        assert_eq!(running.get("/").status, 200);
        let (mut peer, _) = auth.accept();
        assert_eq!(running.get("/").status, 503);
        assert_eq!(peer.rest(), "", "its connection is closed");
        running.proxy.wait_for_log(&["plugin VM restarted"]);
        assert_eq!(running.get("/").status, 200);
        let (mut peer, _) = auth.accept();
        peer.send_no_content();
        running.wait_for("http_call_response", 1);
    });
    let answers = report.callbacks_like("0", "http_call_response");
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(auth.is_untouched());
}

/// One fails, the other does not notice.
#[test]
fn s5_4_others_do_not_notice() {
    let traps = "response_headers#2:\n trap()";
    let running = Case::legacy("").and(Kind::Legacy, traps).start();
    assert_eq!(running.get("/").status, 200);
    assert_eq!(running.get("/").status, 503);
    assert_eq!(running.get("/").status, 200);
    let log = running.log();
    assert_eq!(
        log.matches("[[@0 delete").count(),
        3 + log.matches("[[@0 delete 1]]").count()
    );
}

/// What a callback has asked for before it traps is done.
#[test]
fn s5_4_a_local_response_before_a_trap_is_sent() {
    let script = "request_headers:
        send_local_response(403, '', 'no', '', -1) => 0
        trap()";
    let running = Case::legacy(script).start();
    let reply = running.get("/");
    assert_eq!((reply.status.as_u16(), reply.text()), (403, "no"));
}

//! Starting HTTP callouts (ABI reference 4.9).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Upstream, both_kinds};

both_kinds!(
    what_is_sent,
    what_is_refused,
    a_body_decides_its_length,
    an_empty_authority_is_the_clusters,
    as_many_at_a_time_as_the_limit_says,
    without_a_timeout_it_is_the_idle_one,
);

const GOOD: &str =
    "pairs(':method' 'GET' ':path' '/a?b' ':authority' 'auth.example' 'x-from' 'plugin')";

fn what_is_sent(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            http_call('auth', {GOOD}, '', '', 0, u32) => 0"
    );
    let report = Case::calling(kind, &script, &auth).run(|running| {
        let (mut peer, head) = auth.accept();
        assert!(head.starts_with("GET /a?b HTTP/1.1"), "{head}");
        assert!(head.to_lowercase().contains("host: auth.example"), "{head}");
        assert!(head.contains("x-from: plugin"), "{head}");
        assert!(!head.contains("x-forwarded-for"), "{head}");
        peer.answer("");
        running.wait_for("http_call_response", 1);
    });
    assert!(report.log.contains("http_call_response 1 "));
}

fn a_body_decides_its_length(kind: Kind) {
    let auth = Upstream::new();
    let headers = "pairs(':method' 'POST' ':path' '/' ':authority' 'a' 'content-length' '99')";
    let script = format!("configure:\n http_call('auth', {headers}, 'body', '', 1000, u32) => 0");
    Case::calling(kind, &script, &auth).run(|running| {
        let (mut peer, head) = auth.accept();
        assert!(head.contains("content-length: 4"), "{head}");
        assert_eq!(peer.read(4), "body");
        peer.answer("");
        running.wait_for("http_call_response", 1);
    });
}

/// It is given, so Envoy sends; there with an empty `host`.
fn an_empty_authority_is_the_clusters(kind: Kind) {
    let auth = Upstream::new();
    let headers = "pairs(':method' 'GET' ':path' '/' ':authority' '')";
    let script = format!("configure:\n http_call('auth', {headers}, '', '', 1000, u32) => 0");
    Case::calling(kind, &script, &auth).run(|running| {
        let (mut peer, head) = auth.accept();
        let host = format!("host: {}", auth.url().replace("http://", ""));
        assert!(
            head.lines().any(|line| line.eq_ignore_ascii_case(&host)),
            "{head}"
        );
        peer.answer("");
        running.wait_for("http_call_response", 1);
    });
}

fn what_is_refused(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            http_call('nobody', {GOOD}, '', '', 100, u32) => 2 * | unknown-cluster
            http_call('', {GOOD}, '', '', 100, u32) => 2 * | unknown-cluster
            http_call('auth', pairs(':method' 'GET' ':authority' 'a'), '', '', 100, u32) => 2 * | invalid-request
            legacy http_call('auth', pairs(':method' 'GET' ':path' '/'), '', '', 100, u32) => 2 *
            legacy http_call('auth', pairs(':path' '/' ':authority' 'a'), '', '', 100, u32) => 2 *
            legacy http_call('auth', {GOOD}, '', '', -1, u32) => 2 *
            legacy http_call('auth', '', '', '', 100, u32) => 2 *
            legacy http_call('auth', '\\x01\\0\\0\\0', '', '', 100, u32) => 2 *"
    );
    let report = Case::calling(kind, &script, &auth).get();
    assert!(auth.is_untouched());
    // The log explains which check failed and which clusters are known.
    assert!(
        report.log.contains("nobody") && report.log.contains("auth"),
        "{}",
        report.log
    );
}

/// One more is refused, whatever its kind. When one is over, also in its own callback, there is room for another.
fn as_many_at_a_time_as_the_limit_says(kind: Kind) {
    let auth = Upstream::new();
    let call = format!("http_call('auth', {GOOD}, '', '', 0, u32)");
    let script = format!(
        "configure:
            {call} => 0
            {call} => 0
            {call} => 10 * | limit-reached
            grpc_call('auth', 'a.B', 'C', '', '', 0, u32) => 10 * | limit-reached
            grpc_stream('auth', 'a.B', 'C', '', u32) => 10 * | limit-reached
        http_call_response#1:
            {call} => 0
            {call} => 10 * | limit-reached
        request_headers:
            {call} => 0
            {call} => 0
            {call} => 10 * | limit-reached"
    );
    let limits = serde_json::json!({ "callouts": 2 });
    let case = Case::calling(kind, &script, &auth).config("limits", limits);
    let report = case.run(|running| {
        let ((first, _), (second, _)) = (auth.accept(), auth.accept());
        first.answer_and_close();
        running.wait_for("http_call_response", 1);
        auth.answer_and_close();
        second.answer_and_close();
        running.wait_for("http_call_response", 3);
        assert_eq!(running.get("/").status, 200);
        auth.answer_and_close();
        auth.answer_and_close();
        running.wait_for("http_call_response", 5);
    });
    assert!(auth.is_untouched());
    let explained = "2 callouts of this VM are not over; see `limits.callouts`";
    assert!(report.log.contains(explained), "{}", report.log);
}

/// In Envoy it is none.
fn without_a_timeout_it_is_the_idle_one(kind: Kind) {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            http_call('auth', {GOOD}, '', '', 0, u32) => 0
        http_call_response:
            legacy get_header_map_value(6, ':status', out) => 0 '504'
            wit get_header_map_value(6, ':status', out) => none"
    );
    let timeouts = serde_json::json!({ "idle": "50ms" });
    let case = Case::calling(kind, &script, &auth).config("timeouts", timeouts);
    let report = case.run(|running| {
        let _silent = auth.accept();
        running.wait_for("http_call_response", 1);
    });
    assert!(
        report.log.contains("no answer within 50ms"),
        "{}",
        report.log
    );
}

/// `host` stands for `:authority`; tokens count in fours, and a refusal takes none.
#[test]
fn tokens() {
    let auth = Upstream::new();
    let script = format!(
        "configure:
            http_call('auth', {GOOD}, '', '', 1000, u32) => 0 4
            http_call('nobody', {GOOD}, '', '', 1000, u32) => 2 0
            http_call('auth', {GOOD}, '', '', 1000, end+0) => 6
            http_call('auth', pairs(':method' 'GET' ':path' '/' 'host' 'a'), '', '', 1000, u32) => 0 8"
    );
    let report = Case::calling(Kind::Legacy, &script, &auth).run(|running| {
        for _ in 0..2 {
            auth.answer_and_close();
        }
        running.wait_for("http_call_response", 2);
    });
    assert!(auth.is_untouched());
    let callbacks = report.callbacks("0");
    let mut tokens: Vec<_> = callbacks
        .iter()
        .filter_map(|text| text.strip_prefix("http_call_response 1 "))
        .filter_map(|text| text.split(' ').next())
        .collect();
    tokens.sort_unstable();
    assert_eq!(tokens, ["4", "8"]);
}

/// From any callback after the start.
#[test]
fn calls_can_be_made_everywhere() {
    let auth = Upstream::new();
    let call = format!("http_call('auth', {GOOD}, '', '', 1000, u32) => 0 *");
    let script = format!(
        "vm_start:\n {call}
        configure:\n {call}\n set_tick_period_milliseconds(1)
        tick#1:\n set_tick_period_milliseconds(0)\n {call}
        request_headers:\n {call}
        request_body:\n {call}
        response_headers:\n {call}
        response_body#1:\n {call}
        log:\n {call}
        http_call_response#1:\n {call}"
    );
    let serving = std::sync::Arc::new(auth);
    let server = std::sync::Arc::clone(&serving);
    std::thread::spawn(move || {
        for _ in 0..9 {
            server.answer_and_close();
        }
    });
    Case::calling(Kind::Legacy, &script, &serving).run(|running| {
        assert_eq!(running.post("body").status, 200);
        running.wait_for("http_call_response", 9);
    });
}

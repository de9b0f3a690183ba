//! Limits that the ABI does not have: no plugin fills the machine. SECURITY.md lists them.

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Upstream, both_kinds};

both_kinds!(
    whole_maps_end_at_256_kib,
    headers_of_local_responses_end_at_256_kib,
    fields_of_callouts_end_at_256_kib,
);

/// Pairs of so many fields with 1,000 bytes each, after `first`.
fn large(first: &str, fields: usize) -> String {
    let value = "v".repeat(1000);
    let fields = format!(" 'x' '{value}'").repeat(fields);
    format!("pairs({first}{fields})")
}

fn whole_maps_end_at_256_kib(kind: Kind) {
    let request = "':method' 'GET' ':path' '/' ':authority' 'a'";
    let (fits, too_large) = (large(request, 250), large(request, 270));
    let script = format!(
        "request_headers:
            set_header_map_pairs(0, {too_large}) => 10 | too-large
            set_header_map_pairs(0, {fits}) => 0
            set_header_map_pairs(0, pairs({request})) => 0"
    );
    Case::new(kind, &script).run(|running| {
        assert_eq!(running.get("/").status, 200);
    });
}

fn headers_of_local_responses_end_at_256_kib(kind: Kind) {
    let headers = large("", 270);
    let script = format!(
        "request_headers:
            wit send_local_response(403, '', '', {headers}, -1) => invalid-header
            wit send_local_response(403, '', 'refused', '', -1) => 0
            legacy send_local_response(403, '', 'refused', {headers}, -1) => 0
            return(1)"
    );
    // A module's is sent, but without headers: what it refuses must be refused.
    Case::new(kind, &script).run(|running| {
        let reply = running.get("/");
        assert_eq!((reply.status.as_u16(), reply.text()), (403, "refused"));
        assert_eq!(reply.header("x"), None);
    });
}

fn fields_of_callouts_end_at_256_kib(kind: Kind) {
    let auth = Upstream::new();
    let first = "':method' 'GET' ':path' '/' ':authority' 'a'";
    let (headers, large_headers) = (format!("pairs({first})"), large(first, 270));
    let trailers = large("", 270);
    let script = format!(
        "configure:
            http_call('auth', {large_headers}, '', '', 0, u32) => 2 | invalid-request
            http_call('auth', {headers}, '', {trailers}, 0, u32) => 2 | invalid-request
            http_call('auth', {headers}, '', '', 0, u32) => 0"
    );
    let report = Case::calling(kind, &script, &auth).run(|running| {
        auth.answer();
        running.wait_for("http_call_response", 1);
    });
    let explained = "it has more than 4,096 fields or 256 KiB of them";
    assert!(report.log.contains(explained), "{}", report.log);
}

/// Modules can only give up gRPC callouts; it is the same count.
#[test]
fn callouts_that_were_given_up_count_until_they_are_gone() {
    let auth = Upstream::new();
    let call =
        "http_call('auth', pairs(':method' 'GET' ':path' '/' ':authority' 'a'), '', '', 0, u32>id)";
    let script = format!(
        "configure:
            {call} => 0
            http_cancel($id)
            {call} => 0
            http_cancel($id)
            {call} => limit-reached
        request_headers:
            {call} => 0
            {call} => 0"
    );
    let limits = serde_json::json!({ "callouts": 2 });
    let case = Case::calling(Kind::Wit, &script, &auth).config("limits", limits);
    case.run(|running| {
        assert_eq!(running.get("/").status, 200);
        auth.answer();
        auth.answer();
        running.wait_for("http_call_response", 2);
    });
}

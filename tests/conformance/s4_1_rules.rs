//! Rules that all functions share (ABI reference 4.1).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, both_kinds};

both_kinds!(actions_wait_for_the_end_of_the_callback);

/// A local response and what comes behind it in the same callback: the response wins, and the callback goes on.
fn actions_wait_for_the_end_of_the_callback(kind: Kind) {
    let script = "request_headers:
        send_local_response(403, '', 'no', '', -1)
        add_header_map_value(0, 'x-late', '1') => 0
        get_header_map_value(0, 'x-late', out) => 0 '1'
        continue_stream(0) => 0
        return(0)";
    Case::new(kind, script).run(|running| {
        let reply = running.get("/");
        assert_eq!((reply.status.as_u16(), reply.text()), (403, "no"));
    });
}

/// An effective context lasts until its callback ends.
#[test]
fn an_effective_context_ends_with_its_callback() {
    let script = "request_headers:
            set_effective_context(1)
            get_header_map_value(0, ':path', out) => 2
        response_headers:
            get_header_map_value(2, ':status', out) => 0 '200'";
    Case::legacy(script).get();
}

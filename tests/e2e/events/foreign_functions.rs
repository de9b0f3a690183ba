//! Foreign functions: Envoy's that make sense here, and what others answer.

use proxy_wasi_test_support::Kind;

use super::{ask, serve};
use crate::both_kinds;

both_kinds!(functions_answer_by_name);

fn functions_answer_by_name(kind: Kind) {
    let proxy = serve(kind, "");
    // Not text, but longer than its input and not the same.
    assert!(ask(&proxy, "/call/compress/hello").len() > 5);
    assert_eq!(ask(&proxy, "/call/uncompress/hello"), "no result");
    assert_eq!(ask(&proxy, "/call/clear_route_cache/"), "");
    assert_eq!(ask(&proxy, "/call/nothing/hello"), "no function");
    assert_eq!(ask(&proxy, "/call/nothing/again"), "no function");
    proxy.terminate();
    let log = proxy.wait().stderr;
    assert_eq!(
        log.matches("no foreign function `nothing`").count(),
        1,
        "{log}"
    );
}

//! Edits that choose another route (ABI reference 4.7, 7.4, 9.2).

use proxy_wasi_test_support::{Kind, Origin};

use crate::harness::{Case, Module, both_kinds};

both_kinds!(
    an_edit_before_the_route_is_needed_counts,
    an_edit_after_it_needs_clear_route_cache,
);

/// Two upstreams: one for paths under `/other`, an authority and a field, one for all others. Each says its name.
fn routed(case: Case) -> Case {
    let named = |name: &'static str| Origin::start(move |_| http::Response::new(name.into())).url();
    case.config(
        "clusters",
        serde_json::json!([
            { "name": "main", "url": named("main") },
            { "name": "other", "url": named("other") },
        ]),
    )
    .config(
        "routes",
        serde_json::json!([
            { "match": { "path_prefix": "/other" }, "cluster": "other" },
            { "match": { "authority": "other.example" }, "cluster": "other" },
            { "match": { "headers": [{ "name": "x-to", "value": "other" }] }, "cluster": "other" },
            { "cluster": "main" },
        ]),
    )
}

fn reaches(case: Case, upstream: &str) {
    routed(case).run(|running| assert_eq!(running.get("/").text(), upstream));
}

fn an_edit_before_the_route_is_needed_counts(kind: Kind) {
    reaches(Case::new(kind, ""), "main");
    for edit in EDITS {
        let script = format!("request_headers:\n {edit}");
        reaches(Case::new(kind, &script), "other");
    }
}

/// Each leads to another route.
const EDITS: [&str; 3] = [
    "replace_header_map_value(0, ':path', '/other/a')",
    "replace_header_map_value(0, ':authority', 'other.example')",
    "add_header_map_value(0, 'x-to', 'other')",
];

/// A property of the route needs it.
fn needed(edit: &str) -> String {
    format!(
        "request_headers:
            get_property('xds\\0cluster_name', out) => 0 'main' | 0 text 'main'
            {edit}
            "
    )
}

fn an_edit_after_it_needs_clear_route_cache(kind: Kind) {
    let clears = "call_foreign_function('clear_route_cache', '', out)
        get_property('xds\\0cluster_name', out) => 0 'other' | 0 text 'other'";
    for edit in EDITS {
        let needed = needed(edit);
        reaches(Case::new(kind, &needed), "main");
        reaches(Case::new(kind, &format!("{needed}{clears}")), "other");
    }
}

/// Every edit of the request's head clears it; there is a function too.
#[test]
fn in_0_1_0_an_edit_is_enough() {
    for edit in EDITS {
        reaches(Case::legacy_0_1_0(&needed(edit)), "other");
    }
    let script = "request_headers:\n clear_route_cache() => 0";
    reaches(Case::legacy_0_1_0(script), "main");
    // 0.2 has the function under another name only, and here under both.
    let script = format!("{}clear_route_cache() => 0", needed(EDITS[0]));
    reaches(Case::of(&Module::of("0_2_0"), &script), "other");
}

/// In Envoy this foreign function acts on the stream that is running, never on an effective context.
#[test]
fn clear_route_cache_from_the_root_does_nothing() {
    let script = "configure:\n call_foreign_function('clear_route_cache', '', out) => 0 null";
    reaches(Case::legacy(script), "main");
}

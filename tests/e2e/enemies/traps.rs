//! What becomes of an exchange whose plugin traps, and what the log says of it.

use bytes::Bytes;
use http::{HeaderMap, Response};
use proxy_wasi_test_support::{Client, Example, Kind, Origin, Reply, Trailers, enemy_with_lines};

use super::{TIRELESS, ask, besieged, start};
use crate::{both_kinds, proxy};

both_kinds!(
    closed_answers_503_until_the_head_has_gone,
    open_goes_on_without_the_plugin,
    a_trap_names_who_and_where,
    a_trap_names_the_line,
);

/// The callbacks of an exchange with bodies and trailers, in both directions.
const CALLBACKS: &[&str] = &[
    "request-headers",
    "request-body",
    "request-trailers",
    "response-headers",
    "response-body",
    "response-trailers",
    "stream-end",
];

/// Answers once a request has come to its end, with a body and trailers.
fn origin() -> Origin {
    Origin::start(|_| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-last", "trailer".parse().unwrap());
        Response::builder()
            .header("trailer", "x-last")
            .extension(Trailers(trailers))
            .body(Bytes::from("from the upstream"))
            .unwrap()
    })
}

/// An exchange in which the enemy is there, or has gone on the way: whole for the client either way.
fn is_whole(reply: &Reply, seen: bool, context: &str) {
    assert_eq!(reply.status, 200, "{context}");
    assert_eq!(reply.text(), "from the upstream", "{context}");
    let trailers = reply.trailers.as_ref().expect(context);
    assert_eq!(trailers["x-last"], "trailer", "{context}");
    let was_here = reply.header("x-enemy-was-here").is_some();
    assert_eq!(was_here, seen, "{context}");
}

/// Runs exchanges of which every second one traps, in each callback, over both versions of HTTP; `check` looks at the
/// second ones.
fn every_second(kind: Kind, policy: &str, check: impl Fn(&str, Result<Reply, String>)) {
    let origin = origin();
    let proxy = start(
        kind,
        &format!("failure_policy: {policy}"),
        TIRELESS,
        Some(&origin),
    );
    let mut traps = 0;
    let healthy = proxy.get("/").header("x-vm");
    for client in [proxy.client(), proxy.http2()] {
        for callback in CALLBACKS {
            for _ in 0..2 {
                let first = post(client, callback).unwrap();
                is_whole(&first, true, callback);
                assert_eq!(first.header("x-vm"), healthy, "{callback}");
                let second = post(client, callback);
                check(callback, second);
                traps += 1;
                let lines = proxy.wait_for_lines("plugin `enemy` trapped in `on-", traps);
                let expected = format!("trapped in `on-{callback}`");
                assert!(lines[traps - 1].contains(&expected), "{}", lines[traps - 1]);
                proxy.wait_for_lines("plugin VM restarted", traps);
            }
        }
    }
}

fn post(client: Client, callback: &str) -> Result<Reply, String> {
    let headers = [
        ("x-enemy", "second"),
        ("x-where", callback),
        ("te", "trailers"),
        ("trailer", "x-last"),
    ];
    client
        .post("/", &headers, &["some ", "body"], &[("x-last", "request")])
        .map_err(|error| error.to_string())
}

fn closed_answers_503_until_the_head_has_gone(kind: Kind) {
    every_second(kind, "closed", |callback, second| match callback {
        // The client has part of the response, and must not take it for the whole.
        "response-body" | "response-trailers" => {
            assert!(second.is_err(), "{callback}: {second:?}");
        }
        "stream-end" => is_whole(&second.unwrap(), true, callback),
        _ => {
            let reply = second.unwrap_or_else(|error| panic!("{callback}: {error}"));
            assert_eq!(
                (reply.status.as_u16(), reply.text()),
                (503, ""),
                "{callback}"
            );
        }
    });
}

fn open_goes_on_without_the_plugin(kind: Kind) {
    every_second(kind, "open", |callback, second| {
        let reply = second.unwrap_or_else(|error| panic!("{callback}: {error}"));
        let seen = ["response-body", "response-trailers", "stream-end"].contains(&callback);
        is_whole(&reply, seen, callback);
    });
}

/// Plugin, callback, request and functions.
fn a_trap_names_who_and_where(kind: Kind) {
    let proxy = besieged(kind, "failure_policy: closed");
    let id = [("x-enemy", "trap"), ("x-request-id", "the-one")];
    assert_eq!(proxy.client().get("/", &id).status, 503);
    let line = proxy.wait_for_log(&["trapped"]);
    for part in [
        "plugin `enemy` trapped in `on-request-headers` of request the-one: ",
        "_enemy::trap",
    ] {
        assert!(line.contains(part), "no `{part}` in: {line}");
    }
    let said = proxy.wait_for_log(&["the request asks for it"]);
    assert!(said.contains("enemy"), "the panic's own words: {said}");
}

/// Of a plugin that carries line tables.
fn a_trap_names_the_line(kind: Kind) {
    let proxy = proxy()
        .arg(enemy_with_lines(kind))
        .args(["--name", "enemy"])
        .start();
    assert_eq!(ask(&proxy, "trap").status, 503);
    let line = proxy.wait_for_log(&["plugin `enemy` trapped"]);
    let enemy = match kind {
        Kind::Legacy => "legacy",
        Kind::Wit => "wit",
    };
    let source = format!("tests/guests/{enemy}-enemy/src/lib.rs:");
    let (_, number) = line
        .split_once(&format!("{enemy}_enemy::trap ("))
        .and_then(|(_, at)| at.split_once(&source))
        .unwrap_or_else(|| panic!("no `{source}` in: {line}"));
    let number: usize = number.split(')').next().unwrap().parse().unwrap();
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../")
            .join(source.trim_end_matches(':')),
    )
    .unwrap();
    let code = text.lines().nth(number - 1).unwrap();
    assert!(code.contains("panic!"), "line {number} is `{code}`");
    // Functions that were compiled into their callers are named, too.
    assert!(line.contains("< in_callback ("), "{line}");
}

/// With the log level `trace`, legacy modules are linked with the tracing build of the shim.
#[test]
fn a_trap_of_a_traced_module_shows_what_it_did_before() {
    let proxy = proxy()
        .arg(Example::Enemy.file(Kind::Legacy))
        .args(["--name", "enemy", "--log-level", "trace"])
        .start();
    assert_eq!(ask(&proxy, "trap").status, 503);
    let line = proxy.wait_for_log(&["plugin `enemy` trapped"]);
    let (_, hostcalls) = line.split_once("; last hostcalls: ").unwrap();
    // The request's map is 0, and the panic is logged at level 5.
    assert!(
        hostcalls.contains("proxy_get_header_map_value(0, "),
        "{line}"
    );
    assert!(hostcalls.contains("proxy_log(5, "), "{line}");
    assert!(hostcalls.ends_with("-> 0"), "{line}");
    proxy.wait_for_log(&["TRACE plugin: proxy_get_header_map_value(0, ", "-> 0"]);
}

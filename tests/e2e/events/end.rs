//! The end of root contexts: when the worker stops, after the last stream, with time to finish.

use std::io::{Read, Write};
use std::net::TcpStream;

use proxy_wasi_test_support::{Kind, Origin};

use super::{chain, serve};
use crate::{both_kinds, proxy, text};

both_kinds!(
    a_root_context_ends_after_its_last_stream,
    who_asks_for_time_gets_it,
    who_never_finishes_is_left_behind,
    each_root_context_of_a_vm_ends_once,
);

/// The plugin's lines that begin with one of these, in order.
fn said(log: &str, words: &[&str]) -> Vec<String> {
    log.lines()
        .filter_map(|line| words.iter().find(|word| line.contains(*word)))
        .map(|word| (*word).to_owned())
        .collect()
}

fn a_root_context_ends_after_its_last_stream(kind: Kind) {
    let proxy = serve(kind, "");
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n")
        .unwrap();
    // The rest of the request comes once the proxy stops.
    proxy.get("/");
    proxy.terminate();
    proxy.wait_for_log(&["SIGTERM"]);
    client.write_all(b"done").unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let log = proxy.wait().stderr;
    assert_eq!(
        said(&log, &["stream ended", "done?", "deleted"]),
        ["stream ended", "stream ended", "done?", "deleted"],
        "{log}"
    );
}

fn who_asks_for_time_gets_it(kind: Kind) {
    let proxy = serve(kind, "tick=1 finish=later");
    proxy.wait_for_log(&["tick 1"]);
    proxy.terminate();
    let ended = proxy.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    // The last callback follows the one that has finished.
    assert_eq!(
        said(
            &ended.stderr,
            &["done?", "flushed", "still here", "deleted"]
        ),
        ["done?", "flushed", "still here", "deleted"],
        "{}",
        ended.stderr
    );
}

fn who_never_finishes_is_left_behind(kind: Kind) {
    let proxy = serve(kind, "finish=never");
    proxy.terminate();
    let ended = proxy.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("did not finish in time"),
        "{}",
        ended.stderr
    );
}

fn each_root_context_of_a_vm_ends_once(kind: Kind) {
    let file = chain(
        kind,
        &[
            ("one", "vm_id: same, configuration: tick=1 finish=later"),
            ("two", "vm_id: same"),
        ],
    );
    let origin = Origin::start(|_| http::Response::new(bytes::Bytes::new()));
    let proxy = proxy()
        .args(["--config", text(file.path()), "--upstream", &origin.url()])
        .start();
    assert_eq!(proxy.get("/").status, 200);
    proxy.wait_for_log(&["tick 1"]);
    proxy.terminate();
    let log = proxy.wait().stderr;
    for (word, times) in [
        ("stream ended", 2),
        ("done?", 2),
        ("flushed", 1),
        ("deleted", 2),
    ] {
        assert_eq!(said(&log, &[word]).len(), times, "{word}:\n{log}");
    }
    let of = |plugin: &str| {
        log.lines()
            .filter(|line| {
                line.contains("deleted") && line.contains(&format!("plugin=\"{plugin}\""))
            })
            .count()
    };
    assert_eq!((of("one"), of("two")), (1, 1), "{log}");
}

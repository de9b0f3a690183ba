//! What standard libraries get from WASI: preview 1 in legacy modules, 0.2 in components.

use proxy_wasi_test_support::{Example, Kind};

use super::{ask, chain, serve};
use crate::{both_kinds, proxy, text};

both_kinds!(
    the_environment_is_the_configured_one,
    plugins_of_other_environments_have_vms_of_their_own,
    output_is_logged_by_lines,
    who_sleeps_is_woken_at_once,
);

fn the_environment_is_the_configured_one(kind: Kind) {
    let proxy = proxy()
        .arg(Example::Events.file(kind))
        .args(["--env", "COLOUR=red=green", "--env", "EMPTY="])
        .start();
    assert_eq!(ask(&proxy, "/env/COLOUR"), "red=green");
    assert_eq!(ask(&proxy, "/env/EMPTY"), "");
    // The proxy has one, but keeps it.
    assert_eq!(ask(&proxy, "/env/PATH"), "none");
}

fn plugins_of_other_environments_have_vms_of_their_own(kind: Kind) {
    let file = chain(
        kind,
        &[
            ("one", "env: {COLOUR: red, ON: true}"),
            ("two", "env: {COLOUR: blue}"),
        ],
    );
    let proxy = proxy().args(["--config", text(file.path())]).start();
    assert_eq!(ask(&proxy, "/to/one/env/COLOUR"), "red");
    assert_eq!(ask(&proxy, "/to/one/env/ON"), "true");
    assert_eq!(ask(&proxy, "/to/two/env/COLOUR"), "blue");
}

fn output_is_logged_by_lines(kind: Kind) {
    let proxy = serve(kind, "");
    assert_eq!(ask(&proxy, "/print/text"), "printed");
    let line = proxy.wait_for_log(&["one line of text"]);
    assert!(line.contains(" INFO "), "{line}");
    // The line's end comes with the callback's.
    let line = proxy.wait_for_log(&["an unfinished line"]);
    assert!(line.contains("ERROR"), "{line}");
    assert_eq!(proxy.wait_for_lines("text plugin=", 2).len(), 2);
}

fn who_sleeps_is_woken_at_once(kind: Kind) {
    // Longer than a callback may run: really asleep, the plugin would be ended.
    let proxy = serve(kind, "");
    assert_eq!(ask(&proxy, "/sleep/3600000"), "slept");
}

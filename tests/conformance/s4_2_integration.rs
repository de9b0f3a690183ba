//! Log, clock, status (ABI reference 4.2).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::Case;

#[test]
fn log_has_six_levels() {
    let script = "request_headers:
        log(0, 'a trace') => 0
        log(1, 'a debug') => 0
        log(2, 'an info') => 0
        log(3, 'a warning') => 0
        log(4, 'an error') => 0
        log(5, 'a critical') => 0
        log(6, 'no level') => 2
        log(-1, 'no level') => 2
        log(2, '') => 0
        log(2, 'not \\xff text') => 0";
    let report = Case::legacy(script).arg("--log-level").arg("trace").get();
    for (text, level) in [
        ("a trace", "TRACE"),
        ("a debug", "DEBUG"),
        ("an info", "INFO"),
        ("a warning", "WARN"),
        ("an error", "ERROR"),
        ("a critical", "ERROR"),
    ] {
        let mut lines = report.log.lines();
        let line = lines.find(|line| line.contains(text) && line.contains("plugin-0"));
        assert!(
            line.is_some_and(|line| line.contains(level)),
            "{text}: {line:?}"
        );
    }
    assert!(!report.log.contains("no level"), "{}", report.log);
}

/// A line feed in a message cannot forge a line of the log.
#[test]
fn log_lines_stay_lines() {
    let script = "request_headers:\n log(2, 'one\\n2026 ERROR forged\\r\\x1b[2J') => 0";
    let report = Case::legacy(script).get();
    assert!(
        !report
            .log
            .lines()
            .any(|line| line.starts_with("2026 ERROR forged"))
    );
    assert!(!report.log.contains('\u{1b}'));
}

#[test]
fn log_level_is_the_hosts() {
    for (level, number) in [("trace", 0), ("debug", 1), ("info", 2)] {
        let script = format!("configure:\n get_log_level(u32) => 0 {number}");
        Case::legacy(&script).arg("--log-level").arg(level).get();
    }
}

#[test]
fn the_clock_counts_from_1970() {
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(since.as_nanos()).unwrap()
    };
    let before = now();
    let report = Case::legacy("configure:\n get_current_time_nanoseconds(u64) => 0 *").get();
    let answers = report.answers("0.1");
    let time: u64 = answers[0][1].parse().unwrap();
    assert!((before..now()).contains(&time), "{time}");
}

/// Nothing has failed: code 0, no message.
#[test]
fn status_before_anything_failed() {
    let script = "configure:\n get_status(u32, out) => 0 0 null
        request_headers:\n get_status(u32, out) => 0 0 null";
    Case::legacy(script).get();
}

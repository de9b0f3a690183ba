//! WASI preview 1 (ABI reference 8.1).

use std::collections::HashSet;

use proxy_wasi_abi::wasi::WASI;

use crate::harness::Case;

/// Calls and their answers. `PATH` is an address and a length.
const CALLS: &[(&str, &str)] = &[
    ("args_get(0, 0)", "0"),
    ("args_sizes_get(u32, u32)", "0 0 0"),
    ("args_sizes_get(end+0, u32)", "21"),
    ("clock_res_get(0, u64)", "0 1"),
    ("clock_res_get(1, u64)", "0 1"),
    ("clock_res_get(2, u64)", "58 unwritten"),
    ("clock_time_get(0, 0, u64)", "0 *"),
    ("clock_time_get(1, 1000000, u64)", "0 *"),
    ("clock_time_get(2, 0, u64)", "58 unwritten"),
    ("clock_time_get(0, 0, end-7)", "21"),
    ("environ_get(0, 0)", "0"),
    ("environ_sizes_get(u32, u32)", "0 0 0"),
    ("fd_advise(1, 0, 0, 0)", "0"),
    ("fd_advise(5, 0, 0, 0)", "0"),
    ("fd_allocate(1, 0, 0)", "0"),
    ("fd_allocate(5, 0, 0)", "8"),
    ("fd_close(1)", "0"),
    ("fd_datasync(2)", "0"),
    ("fd_datasync(0)", "8"),
    (
        "fd_fdstat_get(1, room24)",
        r"0 '\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'",
    ),
    ("fd_fdstat_get(0, room24)", "8 unwritten"),
    ("fd_fdstat_get(3, room24)", "8 unwritten"),
    ("fd_fdstat_get(1, end-23)", "21"),
    ("fd_fdstat_set_flags(1, 0)", "52"),
    ("fd_fdstat_set_rights(1, 0, 0)", "0"),
    ("fd_fdstat_set_rights(3, 0, 0)", "8"),
    ("fd_filestat_get(1, room64)", "8 unwritten"),
    ("fd_filestat_set_size(1, 0)", "0"),
    ("fd_filestat_set_size(3, 0)", "8"),
    ("fd_filestat_set_times(2, 0, 0, 0)", "0"),
    ("fd_filestat_set_times(3, 0, 0, 0)", "8"),
    ("fd_pread(0, 0, 0, 0, u32)", "52"),
    ("fd_prestat_dir_name(3, 0, 0)", "52"),
    ("fd_prestat_get(3, room8)", "8 unwritten"),
    ("fd_pwrite(1, pieces('placed\\n'), 7, u32)", "0 7"),
    ("fd_read(0, 0, 0, u32)", "52"),
    ("fd_renumber(1, 2)", "58"),
    ("fd_renumber(1, 3)", "8"),
    ("fd_seek(1, 0, 0, room8)", "0 unwritten"),
    ("fd_sync(1)", "0"),
    ("fd_sync(7)", "8"),
    ("fd_tell(1, u64)", "0 0"),
    ("fd_tell(3, u64)", "8 unwritten"),
    ("fd_tell(1, end-7)", "21"),
    ("fd_write(1, pieces('one ' 'two' '\\n'), u32)", "0 8"),
    ("fd_write(2, pieces('to stderr\\n'), u32)", "0 10"),
    ("fd_write(1, pieces(), u32)", "0 0"),
    ("fd_write(0, pieces('in'), u32)", "8 unwritten"),
    ("fd_write(3, pieces('file'), u32)", "8 unwritten"),
    ("fd_write(1, end-7, 1, u32)", "21"),
    ("fd_write(1, pieces('lost'), end+0)", "21"),
    ("path_create_directory(3, 'd')", "58"),
    ("path_filestat_get(3, 0, 'f', room64)", "58 unwritten"),
    ("path_filestat_set_times(3, 0, 'f', 0, 0, 0)", "58"),
    ("path_link(3, 0, 'f', 3, 'g')", "58"),
    ("path_open(3, 0, 'f', 0, 0, 0, 0, u32)", "44"),
    ("path_readlink(3, 'f', 0, 0, u32)", "58 0"),
    ("path_remove_directory(3, 'd')", "58"),
    ("path_rename(3, 'f', 3, 'g')", "58"),
    ("path_symlink('f', 3, 'g')", "58"),
    ("path_unlink_file(3, 'f')", "58"),
    ("random_get(room32, 32)", "0 *"),
    ("random_get(-1, 0)", "0"),
    ("random_get(end-3, 4)", "21"),
    ("random_get(room32, 65537)", "28 unwritten"),
    ("sched_yield()", "0"),
    // Envoy writes eight bytes where the standard has four.
    ("sock_accept(3, 0, u32)", "58 0"),
    ("sock_recv(3, 0, 0, 0, u32, u32)", "58 0 *"),
    ("sock_send(3, 0, 0, 0, u32)", "58 0"),
    ("sock_shutdown(3, 0)", "58"),
];

/// Called elsewhere in this file.
const ELSEWHERE: &[&str] = &["proc_exit", "proc_raise", "fd_readdir", "poll_oneoff"];

#[test]
fn every_function_of_preview_1_is_called() {
    let called: HashSet<_> = CALLS
        .iter()
        .filter_map(|(call, _)| call.split('(').next())
        .chain(ELSEWHERE.iter().copied())
        .collect();
    let names = WASI.iter().map(|function| function.name);
    let missing: Vec<_> = names.filter(|name| !called.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn answers() {
    let calls: Vec<_> = CALLS
        .iter()
        .map(|(call, answer)| format!("wasi.{call} => {answer}"))
        .collect();
    let script = format!("request_headers:\n{}", calls.join("\n"));
    let report = Case::legacy(&script).get();
    let line = |text: &str| {
        let mut lines = report.log.lines();
        lines
            .find(|line| line.contains(text) && !line.contains("[["))
            .unwrap_or_else(|| panic!("no `{text}` in\n{}", report.log))
            .to_owned()
    };
    assert!(line("one two").contains("INFO"));
    assert!(line("to stderr").contains("ERROR"));
    assert!(line("placed").contains("INFO"));
    assert!(!report.log.contains("lost"), "{}", report.log);
}

/// No files, and nothing in a directory.
#[test]
fn fd_readdir_finds_nothing() {
    let script = "request_headers:\n wasi.fd_readdir(3, 0, 0, 0, u32) => *";
    let report = Case::legacy(script).get();
    let answers = report.answers("0.1");
    // 20 in Envoy, which means to say that it is no directory: 54.
    assert!(
        ["20", "54"].contains(&answers[0][0].as_str()),
        "{answers:?}"
    );
    assert_eq!(answers[0][1], "0");
}

/// Success at once: Go's runtime needs it. What is waited for counts as having come.
#[test]
fn poll_oneoff_does_not_wait() {
    // A subscription to the monotonic clock, an hour from now.
    let mut subscription = [0_u8; 48];
    subscription[..8].copy_from_slice(b"the-mark");
    subscription[16] = 1;
    subscription[24..32].copy_from_slice(&3_600_000_000_000_u64.to_le_bytes());
    let subscription: String = subscription
        .iter()
        .map(|byte| format!("\\x{byte:02x}"))
        .collect();
    let script = format!(
        "request_headers:
            wasi.poll_oneoff(0, 0, 0, u32) => 0 0
            wasi.poll_oneoff(at('{subscription}'), room32, 1, u32) => 0 *
            wasi.poll_oneoff(at('{subscription}'), room32, 1, end+0) => 21"
    );
    let report = Case::legacy(&script).run(|running| assert_eq!(running.get("/").status, 200));
    let words = report.answers("0.2")[0].clone();
    let mark = conformance_script::hex(b"the-mark");
    assert!(words[1].starts_with(&format!("x{mark}0000")), "{words:?}");
    assert_eq!(words[2], "1");
}

#[test]
fn the_environment_is_what_is_configured() {
    let script = "request_headers:
        wasi.environ_sizes_get(u32, u32) => 0 1 10
        wasi.environ_get(room4, room10) => 0 * 'NAME=text\\0'
        wasi.environ_get(room4, end-9) => 21";
    Case::legacy(script)
        .plugin("env", serde_json::json!({ "NAME": "text" }))
        .get();
}

/// Nobody hears the signal; the function is one that Envoy lacks.
#[test]
fn proc_raise_is_not_there() {
    Case::legacy("request_headers:\n wasi.proc_raise(6) => 58").get();
}

/// Outside the start, an exit ends the VM, whatever the code.
#[test]
fn proc_exit_ends_the_vm() {
    for code in [0, 3] {
        let script = format!("request_headers#1:\n wasi.proc_exit({code})\n log(2, 'not reached')");
        let running = Case::legacy(&script).start();
        assert_eq!(running.get("/").status, 503);
        let log = running.log();
        assert!(!log.contains("not reached"), "{log}");
    }
}

/// A line is logged when it ends, and what is left of one when the callback does.
#[test]
fn output_is_logged_by_lines() {
    let script = "request_headers:
            wasi.fd_write(1, pieces('first '), u32) => 0 6
            wasi.fd_write(1, pieces('half\\nsecond '), u32) => 0 12
            wasi.fd_write(1, pieces('half'), u32) => 0 4
        response_headers:
            wasi.fd_write(1, pieces('later\\n\\n'), u32) => 0 7";
    let report = Case::legacy(script).get();
    for line in ["first half", "second half", "later"] {
        assert!(report.log.contains(line), "{line}:\n{}", report.log);
    }
    assert!(!report.log.contains("second halflater"), "{}", report.log);
}

//! Bad memory is a status, in every function of the host (ABI reference 4.1).

use std::collections::HashSet;

use proxy_wasi_abi::hostcall::HOSTCALLS;

use crate::harness::Case;

/// Arguments of a function, all good. `IN` is an address and a length, `OUT` two addresses, `U32` and `U64` one.
const FUNCTIONS: &[(&str, &str)] = &[
    ("log", "2 IN"),
    ("get_log_level", "U32"),
    ("get_status", "U32 OUT"),
    ("get_current_time_nanoseconds", "U64"),
    ("set_tick_period_milliseconds", "0"),
    ("get_configuration", "OUT"),
    ("set_effective_context", "1"),
    ("done", ""),
    ("get_property", "PROPERTY OUT"),
    ("set_property", "IN IN"),
    ("get_header_map_value", "0 HEADER OUT"),
    ("add_header_map_value", "0 IN IN"),
    ("replace_header_map_value", "0 IN IN"),
    ("remove_header_map_value", "0 IN"),
    ("get_header_map_pairs", "0 OUT"),
    ("set_header_map_pairs", "0 IN"),
    ("get_header_map_size", "0 U32"),
    ("get_buffer_status", "6 U32 U32"),
    ("get_buffer_bytes", "6 0 100 OUT"),
    ("set_buffer_bytes", "0 0 0 IN"),
    ("continue_request", ""),
    ("continue_response", ""),
    ("clear_route_cache", ""),
    ("continue_stream", "0"),
    ("close_stream", "2"),
    ("send_local_response", "200 IN IN IN -1"),
    ("http_call", "IN IN IN IN 100 U32"),
    ("get_shared_data", "KEY OUT U32"),
    ("set_shared_data", "IN IN 0"),
    ("register_shared_queue", "IN U32"),
    ("resolve_shared_queue", "OWN QUEUE U32"),
    ("dequeue_shared_queue", "TOKEN OUT"),
    ("enqueue_shared_queue", "TOKEN IN"),
    ("call_foreign_function", "FUNCTION IN OUT"),
    ("define_metric", "0 IN U32"),
    ("increment_metric", "4 1"),
    ("record_metric", "4 1"),
    ("get_metric", "METRIC U64"),
    ("grpc_call", "IN IN IN IN IN 100 U32"),
    ("grpc_stream", "IN IN IN IN U32"),
    ("grpc_send", "6 IN 0"),
    ("grpc_cancel", "5"),
    ("grpc_close", "5"),
];

/// Calls before the table that make what its good arguments name.
const PREPARED: &str = "
    register_shared_queue('queue', u32>token)
    set_shared_data('key', 'value', 0)
    define_metric(0, 'counter', u32>metric)
    ";

#[test]
fn every_function_of_the_host_is_in_the_table() {
    let known: HashSet<_> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
    let host = HOSTCALLS
        .iter()
        .filter_map(|hostcall| hostcall.name.strip_prefix("proxy_"));
    let missing: Vec<_> = host.filter(|name| !known.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}

fn good(word: &str) -> String {
    match word {
        "IN" => "'text'",
        "PROPERTY" => "'plugin_root_id'",
        "HEADER" => "':path'",
        "KEY" => "'key'",
        "QUEUE" => "'queue'",
        "OWN" => "''",
        "FUNCTION" => "'compress'",
        "TOKEN" => "$token",
        "METRIC" => "$metric",
        "OUT" => "out",
        "U32" => "u32",
        "U64" => "u64",
        number => number,
    }
    .to_owned()
}

/// What is tried in the place of an argument.
fn bad(word: &str) -> Vec<&'static str> {
    match word {
        "IN" | "PROPERTY" | "HEADER" | "KEY" | "QUEUE" | "OWN" | "FUNCTION" => vec![
            "end+0, 1",
            "end-3, 4",
            "end+1, 0",
            "0, -1",
            "-1, 1",
            "-1, -1",
            "-16, 100",
            "0x7fffffff, 0x7fffffff",
            "1, 0x7fffffff",
        ],
        "OUT" => vec![
            "end+0, u32",
            "u32, end+0",
            "end-3, u32",
            "u32, end-3",
            "-1, u32",
            "u32, -1",
            "-4, -4",
        ],
        "U32" => vec!["end+0", "end-3", "-1", "-4"],
        "U64" => vec!["end+0", "end-7", "-1", "-8"],
        _ => vec![],
    }
}

/// The calls of a table, each with one bad argument.
fn calls(name: &str, args: &str) -> Vec<String> {
    let words: Vec<_> = args.split_whitespace().collect();
    let mut calls = Vec::new();
    for (at, word) in words.iter().enumerate() {
        for bad in bad(word) {
            let args: Vec<_> = words
                .iter()
                .enumerate()
                .map(|(other, word)| {
                    if other == at {
                        bad.to_owned()
                    } else {
                        good(word)
                    }
                })
                .collect();
            if name == "dequeue_shared_queue" {
                // What cannot be given is lost (as in Envoy).
                calls.push("enqueue_shared_queue($token, 'item')".to_owned());
            }
            // These end before they look where a token would go: there is no such cluster.
            let unknown = name.starts_with("grpc_") && *word == "U32";
            let status = if unknown { "*" } else { "6" };
            calls.push(format!("{name}({}) => {status}", args.join(", ")));
        }
    }
    calls
}

/// In callbacks of the root context and of a stream.
#[test]
fn bad_memory_is_a_status() {
    let mut script = String::new();
    for callback in ["configure", "request_headers", "request_body"] {
        script.push_str(callback);
        script.push_str(":\n");
        script.push_str(PREPARED);
        for (name, args) in FUNCTIONS {
            let is_here = match callback {
                "configure" => is_for_root_contexts(name),
                "request_headers" => *name != "set_buffer_bytes",
                _ => *name == "set_buffer_bytes",
            };
            if !is_here {
                continue;
            }
            for call in calls(name, args) {
                script.push_str(&call);
                script.push('\n');
            }
        }
        script.push_str("log(2, 'still alive')\n");
    }
    let report = Case::legacy(&script)
        .plugin("vm_configuration", "vm")
        .run(|running| assert_eq!(running.post("body").status, 200));
    assert_eq!(report.log.matches("still alive").count(), 3);
}

/// Numbers without sense, to every function, in one callback: whatever the answers, the plugin goes on.
#[test]
fn any_numbers_are_answered() {
    const NUMBERS: &[&str] = &[
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "16",
        "255",
        "4096",
        "65535",
        "65536",
        "0x7fffffff",
        "0x80000000",
        "-1",
        "-2",
        "-4",
        "-8",
        "end+0",
        "end-1",
        "end-4",
        "end-100",
        "end+1",
    ];
    // What is written must not be the script itself.
    const OUTPUTS: &[&str] = &[
        "u32",
        "u32",
        "0",
        "1",
        "-1",
        "-4",
        "end+0",
        "end-3",
        "0x7fffffff",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut pick = |list: &[&'static str]| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        list[usize::try_from(state % list.len() as u64).unwrap()]
    };
    let mut calls = String::new();
    for _ in 0..40 {
        for (name, args) in FUNCTIONS {
            let args: Vec<_> = args
                .split_whitespace()
                .flat_map(|word| match word {
                    "OUT" => vec![pick(OUTPUTS), pick(OUTPUTS)],
                    "U32" => vec![pick(OUTPUTS)],
                    "U64" => vec!["u64"],
                    _ if bad(word).is_empty() => vec![pick(NUMBERS)],
                    _ => vec![pick(NUMBERS), pick(NUMBERS)],
                })
                .collect();
            calls.push_str(&format!("{name}({}) => *\n", args.join(", ")));
        }
    }
    let script = format!(
        "request_headers#1:\n{calls}log(2, 'still alive')\nreturn(1)
        request_headers#2:\n get_header_map_value(0, ':path', out) => 0 '/after'"
    );
    let report = Case::legacy(&script).run(|running| {
        let mut client = running.client();
        client.send_head(&["GET / HTTP/1.1", "host: a", "connection: close"]);
        client.rest();
        assert_eq!(running.get("/after").status, 200);
    });
    assert!(report.log.contains("still alive"));
}

/// Others say that there is no stream before they look at memory. `get_configuration` gives so much that the memory
/// grows: its end lies in the middle then.
fn is_for_root_contexts(name: &str) -> bool {
    !matches!(
        name,
        "get_header_map_value"
            | "get_header_map_pairs"
            | "get_header_map_size"
            | "set_buffer_bytes"
            | "get_configuration"
    )
}

/// The number of an enumeration is checked before memory.
#[test]
fn enumerations_come_before_memory() {
    let script = "configure:
        get_header_map_value(8, -1, 9, -1, -1) => 2
        get_header_map_value(-1, -1, 9, -1, -1) => 2
        add_header_map_value(8, -1, 9, -1, 9) => 2
        replace_header_map_value(8, -1, 9, -1, 9) => 2
        remove_header_map_value(8, -1, 9) => 2
        get_header_map_pairs(8, -1, -1) => 2
        set_header_map_pairs(8, -1, 9) => 2
        get_header_map_size(8, -1) => 2
        get_buffer_bytes(9, 0, 9, -1, -1) => 2
        get_buffer_status(9, -1, -1) => 2
        set_buffer_bytes(9, 0, 0, -1, 9) => 2
        log(6, -1, 9) => 2
        define_metric(3, -1, 9, -1) => 6 // except here
        define_metric(3, 'name', -1) => 2
        continue_stream(4) => 2
        close_stream(4) => 2";
    Case::legacy(script).get();
}

#[test]
fn empty_arguments_may_lie_anywhere_up_to_the_end() {
    let script = "request_headers:
        log(2, 0, 0) => 0
        log(2, 1, 0) => 0
        log(2, end+0, 0) => 0
        log(2, end+1, 0) => 6
        add_header_map_value(0, 'x-empty', 0, 0) => 0
        add_header_map_value(0, 'x-empty', end+0, 0) => 0
        send_local_response(200, 0, 0, 1, 0, end+0, 0, -1) => 0
        return(1)";
    Case::legacy(script).run(|running| assert_eq!(running.get("/").status, 200));
}

#[test]
fn results_may_lie_at_the_very_end() {
    let script = "request_headers:
        get_log_level(end-4) => 0
        get_current_time_nanoseconds(end-8) => 0
        get_header_map_value(0, ':path', end-8, end-4) => 0";
    Case::legacy(script).get();
}

#[test]
fn a_zero_length_result_allocates_nothing() {
    let script = "configure:
            set_shared_data('empty', '', 0)
            allocations()
            get_shared_data('empty', out, u32) => 0 null *
            get_buffer_bytes(7, 0, 0, out) => 0 null
            get_buffer_bytes(6, 0, 9, out) => 0 null
            get_status(u32, out) => 0 0 null
            allocations() => 0 0 0
        request_headers:
            add_header_map_value(0, 'x-empty', '')
            allocations()
            get_header_map_value(0, 'x-empty', out) => 0 null
            get_header_map_value(0, 'x-none', out) => 1 unwritten
            get_header_map_pairs(1, out) => 0 null
            get_buffer_bytes(0, 0, 9, out) => 0 null
            get_property('request\\0query', out) => 0 null
            allocations() => 0 0 0
        request_body:
            allocations()
            get_buffer_bytes(0, 4, 9, out) => 0 null
            get_buffer_bytes(0, 0, 0, out) => 0 null
            allocations() => 0 0 0";
    let report = Case::legacy(script).run(|running| {
        running.post("body");
    });
    assert!(!report.log.contains("allocated-nothing"), "{}", report.log);
}

#[test]
fn results_are_allocated_at_their_exact_size() {
    let script = "request_headers:
        allocations()
        get_header_map_value(0, ':path', out) => 0 '/'
        get_header_map_pairs(0, out) => 0 *
        get_buffer_bytes(6, 0, 9, out) => 0 'vm'
        allocations() => 0 3 0";
    Case::legacy(script).plugin("vm_configuration", "vm").get();
}

#[test]
fn an_allocator_that_gives_nothing_is_a_status() {
    let script = "request_headers:
        allocator('null')
        get_header_map_value(0, ':path', out) => 6 unwritten
        get_header_map_pairs(0, out) => 6 unwritten
        get_buffer_bytes(6, 0, 9, out) => 6 unwritten
        get_property('plugin_root_id', out) => 6 unwritten
        allocator('wild')
        get_header_map_value(0, ':path', out) => 6 unwritten
        get_header_map_pairs(0, out) => 6 unwritten
        get_buffer_bytes(6, 0, 9, out) => 6 unwritten
        get_property('plugin_root_id', out) => 6 unwritten
        allocator('honest')
        get_header_map_value(0, ':path', out) => 0 '/'";
    Case::legacy(script).plugin("vm_configuration", "vm").get();
}

/// The memory moves, or so a host must think.
#[test]
fn an_allocator_may_grow_the_memory() {
    let script = "request_headers:
        allocator('grows')
        get_header_map_value(0, ':path', out) => 0 '/'
        get_buffer_bytes(6, 0, 9, out) => 0 'vm'
        get_header_map_pairs(0, out) => 0 *";
    Case::legacy(script).plugin("vm_configuration", "vm").get();
}

#[test]
fn an_allocator_may_log() {
    let script = "request_headers:
        allocator('calls back')
        get_header_map_value(0, ':path', out) => 0 '/'";
    let report = Case::legacy(script).get();
    assert!(report.log.contains("in the allocator"), "{}", report.log);
}

#[test]
fn an_allocator_that_traps_fails_the_vm() {
    let script = "request_headers#1:
        allocator('traps')
        get_header_map_value(0, ':path', out)";
    let running = Case::legacy(script).start();
    assert_eq!(running.get("/").status, 503);
    running
        .proxy
        .wait_for_log(&["proxy_on_request_headers", "trap"]);
}

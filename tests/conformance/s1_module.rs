//! What a module is, and how it starts (ABI reference 1).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, Module, both_kinds};

both_kinds!(
    s1_2_vm_start_that_returns_0_refuses_the_plugin,
    s1_2_configure_that_returns_0_refuses_the_plugin,
    s1_3_configuration_sizes,
    s1_3_vm_start_for_each_root_of_a_vm,
);

/// Says of which version a module is: a field that is not there is a status in 0.2, nothing in 0.1.0.
const MISSING_IS_NULL: &str = "request_headers:\n get_header_map_value(0, 'x-none', out) => 0 null";
const MISSING_IS_A_STATUS: &str =
    "request_headers:\n get_header_map_value(0, 'x-none', out) => 1 unwritten";

#[test]
fn s1_1_first_marker_wins() {
    let old_first = Module::of("0_1_0").marker("0_2_0").marker("0_2_1");
    Case::of(&old_first, MISSING_IS_NULL).get();
    let new_first = Module::of("0_2_1").marker("0_1_0");
    Case::of(&new_first, MISSING_IS_A_STATUS).get();
}

#[test]
fn s1_1_unknown_markers_do_not_count() {
    let module = Module::of("0_3_0").marker("0_1_0").marker("0_2_0");
    Case::of(&module, MISSING_IS_NULL).get();
    for module in [
        Module::of("0_3_0"),
        Module::new().without("proxy_abi_version_0_2_1"),
    ] {
        let failed = Case::of(&module, "").try_start().unwrap_err();
        assert!(failed.stderr.contains("proxy_abi_version"), "{failed:?}");
    }
}

#[test]
fn s1_4_headers_callbacks_have_no_end_of_stream_in_0_1_0() {
    for (version, params) in [("0_1_0", 2), ("0_2_0", 3), ("0_2_1", 3)] {
        let report = Case::of(&Module::of(version), "").get();
        let callbacks = report.callbacks("0");
        for name in ["request_headers ", "response_headers "] {
            let mut found = callbacks.iter().filter(|text| text.starts_with(name));
            let text = found.next().expect("it is called");
            assert_eq!(text.split(' ').count(), 1 + params, "{version}: {text}");
        }
    }
}

/// What counts is the export's own signature.
#[test]
fn s1_4_either_form_of_headers_callbacks_is_called() {
    let long = Module::of("0_1_0")
        .without("proxy_on_request_headers")
        .export("any_request_headers_3", "proxy_on_request_headers");
    let short = Module::new()
        .without("proxy_on_request_headers")
        .export("any_request_headers_2", "proxy_on_request_headers");
    for (module, params) in [(long, 3), (short, 2)] {
        let callbacks = Case::of(&module, "").get().callbacks("0");
        let mut found = callbacks
            .iter()
            .filter(|text| text.starts_with("request_headers "));
        let text = found.next().expect("it is called");
        assert_eq!(text.split(' ').count(), 1 + params, "{text}");
    }
}

#[test]
fn s1_2_malloc_comes_before_proxy_on_memory_allocate() {
    let script = "request_headers:
        allocations()
        get_header_map_value(0, ':path', out) => 0 '/'
        allocations() => 0 1 0";
    let other = "any_proxy_on_memory_allocate";
    let malloc_first = Module::new().export(other, "proxy_on_memory_allocate");
    let malloc_last = Module::new()
        .without("malloc")
        .export(other, "proxy_on_memory_allocate")
        .export("any_malloc", "malloc");
    Case::of(&malloc_first, script).get();
    Case::of(&malloc_last, script).get();
}

#[test]
fn s1_2_proxy_on_memory_allocate_alone() {
    let module = Module::new()
        .without("malloc")
        .export("any_proxy_on_memory_allocate", "proxy_on_memory_allocate");
    let script = "request_headers:
        allocations()
        get_header_map_value(0, ':path', out) => 0 '/'
        allocations() => 0 0 1";
    Case::of(&module, script).get();
}

#[test]
fn s1_2_no_allocator_is_refused() {
    let module = Module::new().without("malloc");
    let failed = Case::of(&module, "").try_start().unwrap_err();
    assert!(failed.stderr.contains("malloc"), "{failed:?}");
}

#[test]
fn s1_2_start_functions() {
    let initialize = || Module::new().export("any_initialize", "_initialize");
    let cases = [
        (Module::new(), vec![]),
        (initialize(), vec!["_initialize"]),
        (
            initialize().export("any_main", "main"),
            vec!["_initialize", "main 0 0"],
        ),
        (
            initialize().export("any_main_void", "__main_void"),
            vec!["_initialize", "__main_void"],
        ),
        (
            initialize()
                .export("any_main_void", "__main_void")
                .export("any_main", "main"),
            vec!["_initialize", "main 0 0"],
        ),
        // A reactor's `_start` is not called; nor is `main` without `_initialize`.
        (
            Module::new()
                .export("any_start", "_start")
                .export("any_initialize", "_initialize"),
            vec!["_initialize"],
        ),
        (
            Module::new()
                .export("any_start", "_start")
                .export("any_main", "main"),
            vec!["_start"],
        ),
        (Module::new().export("any_main", "main"), vec![]),
        // A command exits when it is done, which is success.
        (
            Module::new().export("any_start_exits", "_start"),
            vec!["_start"],
        ),
    ];
    for (module, expected) in cases {
        let report = Case::of(&module, "").get();
        assert_eq!(report.callbacks("!"), expected);
        // All of it happens before the first context exists.
        let all = report.all_callbacks();
        assert_eq!(all[expected.len()], "0 context_create 1 0", "{all:?}");
    }
}

/// Any other code than 0 refuses the plugin.
#[test]
fn s1_2_a_start_function_that_fails() {
    let module = Module::new().export("any_start_fails", "_start");
    let failed = Case::of(&module, "").try_start().unwrap_err();
    assert!(failed.stderr.contains("_start"), "{failed:?}");
    assert!(!failed.stderr.contains("context_create"), "{failed:?}");
}

#[test]
fn s1_2_missing_callbacks_do_nothing() {
    let report = Case::of(&Module::new().only(&[]), "").run(|running| {
        assert_eq!(running.get("/").status, 200);
    });
    assert_eq!(report.stream_callbacks(), [""; 0]);
    let none = Module::new()
        .only(&[])
        .without("proxy_on_context_create")
        .without("proxy_on_vm_start")
        .without("proxy_on_configure");
    Case::of(&none, "").run(|running| assert_eq!(running.get("/").status, 200));
}

#[test]
fn s1_2_a_missing_headers_callback_continues() {
    let module = Module::new().only(&["response_headers", "log"]);
    let report = Case::of(&module, "").run(|running| assert_eq!(running.get("/").status, 200));
    assert_eq!(report.stream_callbacks(), ["response_headers", "log"]);
}

fn s1_2_vm_start_that_returns_0_refuses_the_plugin(kind: Kind) {
    let script = "vm_start:\n log(2, 'I cannot start')\n return(0)";
    let failed = Case::new(kind, script).try_start().unwrap_err();
    assert!(failed.stderr.contains("vm_start"), "{failed:?}");
    assert!(failed.stderr.contains("I cannot start"), "{failed:?}");
}

fn s1_2_configure_that_returns_0_refuses_the_plugin(kind: Kind) {
    let script = "configure:\n log(2, 'I want more')\n return(0)";
    let failed = Case::new(kind, script).try_start().unwrap_err();
    assert!(failed.stderr.contains("configure"), "{failed:?}");
    assert!(failed.stderr.contains("I want more"), "{failed:?}");
}

fn s1_3_configuration_sizes(kind: Kind) {
    let script = "configure:\n log(2, 'configured')";
    let case = Case::new(kind, script).plugin("vm_configuration", "123456789");
    let report = case.get();
    let callbacks = report.callbacks("0");
    let size = format!("# 0\n@ configure\n0.1 log 2 x{}\n", "636f6e66696775726564").len();
    assert!(
        callbacks.contains(&"vm_start 1 9".to_owned()),
        "{callbacks:?}"
    );
    assert!(
        callbacks.contains(&format!("configure 1 {size}")),
        "{callbacks:?}"
    );
}

/// Equal `vm_id`, VM configuration and code: one VM, in which each plugin has a root context of its own.
fn s1_3_vm_start_for_each_root_of_a_vm(kind: Kind) {
    let case = Case::new(kind, "")
        .plugin("vm_id", "shared")
        .plugin("vm_configuration", "123")
        .and(kind, "")
        .plugin("vm_id", "shared")
        .plugin("vm_configuration", "123");
    let callbacks = case.start().end().all_callbacks();
    let of_vm: Vec<_> = callbacks
        .iter()
        .filter(|text| text.contains("vm_start") || text.contains("configure"))
        .collect();
    assert_eq!(
        of_vm,
        [
            "0 vm_start 1 3",
            "0 configure 1 4",
            "1 vm_start 2 3",
            "1 configure 2 4"
        ]
    );
}

#[test]
fn s1_3_root_context_is_created_before_vm_start() {
    let callbacks = Case::legacy("").get().callbacks("0");
    assert_eq!(
        callbacks[..3],
        ["context_create 1 0", "vm_start 1 0", "configure 1 4"]
    );
}

#[test]
fn s1_3_context_ids_count_from_1_and_are_not_used_again() {
    let report = Case::legacy("").run(|running| {
        running.get("/");
        running.wait_for("delete", 1);
        running.get("/");
    });
    let created: Vec<_> = report
        .callbacks("0")
        .into_iter()
        .filter(|text| text.starts_with("context_create"))
        .collect();
    assert_eq!(
        created,
        [
            "context_create 1 0",
            "context_create 2 1",
            "context_create 3 1"
        ]
    );
}

#[test]
fn s1_3_vms_count_for_themselves() {
    let case = Case::legacy("").and(Kind::Legacy, "");
    let report = case.get();
    for tag in ["0", "1"] {
        let callbacks = report.callbacks(tag);
        assert_eq!(callbacks[0], "context_create 1 0");
        assert!(
            callbacks.contains(&"context_create 2 1".to_owned()),
            "{callbacks:?}"
        );
    }
}

#[test]
fn s1_3_the_root_id_is_known_while_the_root_is_created() {
    let script = "context_create#1:
        get_property('plugin_root_id', out) => 0 'root-0'";
    Case::legacy(script).get();
    let nameless = "context_create#1:
        get_property('plugin_root_id', out) => 0 null";
    Case::legacy(nameless).plugin("root_id", "").get();
}

/// Buffer 6 at any time; buffer 7 while the root context is created and configured.
#[test]
fn s1_3_configuration_buffers() {
    let script = "context_create#1:
            get_buffer_bytes(7, 0, 3, out) => 0 '# 0'
            get_buffer_bytes(6, 0, -1, out) => 0 'vm'
        vm_start:
            get_buffer_bytes(7, 0, -1, out) => 1
            get_buffer_bytes(6, 0, -1, out) => 0 'vm'
        configure:
            get_buffer_bytes(7, 0, 3, out) => 0 '# 0'
            get_buffer_bytes(6, 1, 0x7fffffff, out) => 0 'm'
        context_create#2:
            get_buffer_bytes(7, 0, -1, out) => 1
            get_buffer_bytes(6, 0, -1, out) => 0 'vm'
        request_headers:
            get_buffer_bytes(7, 0, -1, out) => 1
            get_buffer_status(7, u32, u32) => 1
            get_buffer_bytes(6, 0, -1, out) => 0 'vm'
            get_buffer_status(6, u32, u32) => 0 2 0
        log:
            get_buffer_bytes(6, 0, -1, out) => 0 'vm'";
    Case::legacy(script).plugin("vm_configuration", "vm").get();
}

#[test]
fn s1_3_get_configuration_of_0_1_0() {
    // The script itself is the plugin's configuration, so its size is what `configure` is called with.
    let script = "context_create#1:
            get_buffer_status(7, u32, u32) => 0 * 0
            get_configuration(out) => 0 *
        vm_start:
            get_configuration(out) => 0 'vm'
        request_headers:
            get_configuration(out) => 0 'vm'";
    Case::legacy_0_1_0(script)
        .plugin("vm_configuration", "vm")
        .get();
}

#[test]
fn s1_5_unknown_imports_answer_unimplemented() {
    let script = "request_headers:
        nobody_knows(5) => 12
        nobody_knows(6) => 12
        wasi.nobody_knows(5) => 52";
    let report = Case::legacy(script).get();
    let said = report.log.matches("proxy_nobody_knows").count();
    assert_eq!(said, 1, "it is said once:\n{}", report.log);
}

#[test]
fn s1_5_toolchain_imports() {
    let script = "request_headers:
        emscripten_notify_memory_growth(0)
        pthread_equal(5, 5) => 1
        pthread_equal(5, 6) => 0";
    Case::legacy(script).get();
}

/// The functions of other versions are there too.
#[test]
fn s1_6_every_version_has_all_functions() {
    for version in ["0_1_0", "0_2_0", "0_2_1"] {
        let script = "request_headers:
            continue_request() => 0
            continue_response() => 0
            clear_route_cache() => 0
            continue_stream(0) => 0
            get_log_level(u32) => 0 2
            get_configuration(out) => 0 null";
        Case::of(&Module::of(version), script).run(|running| {
            assert_eq!(running.get("/").status, 200, "{version}");
        });
    }
}

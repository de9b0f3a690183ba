//! Imports of other toolchains and other times (ABI reference 1.5, 8.1), in modules written by hand.

use crate::harness::Case;

/// Wherever the memory is: exported under another name, not exported, imported.
#[test]
fn s1_2_memories() {
    for memory in [
        r#"(memory (export "memory") 1)"#,
        r#"(memory (export "another name") 1)"#,
        r#"(memory (export "memory") (export "twice") 1 9)"#,
        r#"(import "env" "memory" (memory 1)) (export "memory" (memory 0))"#,
    ] {
        let text = format!(
            r#"(module
                (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
                {memory}
                (data (i32.const 8) "here it is")
                (func (export "proxy_abi_version_0_2_1"))
                (func (export "malloc") (param i32) (result i32) (i32.const 1024))
                (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                    (call $log (i32.const 2) (i32.const 8) (i32.const 10))))"#
        );
        let text = if memory.starts_with("(import") {
            text.replace(memory, "")
                .replace("(module", &format!("(module {memory}"))
        } else {
            text
        };
        let running = Case::of_bytes(&wat::parse_str(&text).unwrap()).start();
        assert_eq!(running.get("/").status, 200, "{memory}");
        running.proxy.wait_for_log(&["here it is"]);
    }
}

/// A start section runs before everything else, and may call the host.
#[test]
fn s1_3_a_start_section() {
    let text = r#"(module
        (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "start section, _initialize")
        (func $start (drop (call $log (i32.const 2) (i32.const 8) (i32.const 13))))
        (start $start)
        (func (export "_initialize") (drop (call $log (i32.const 2) (i32.const 23) (i32.const 11))))
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (i32.const 1024)))"#;
    let running = Case::of_bytes(&wat::parse_str(text).unwrap()).start();
    assert_eq!(running.get("/").status, 200);
    running.proxy.wait_for_log(&["_initialize"]);
    let log = running.proxy.log();
    let (section, initialize) = (log.find("start section"), log.find("_initialize"));
    assert!(section.is_some() && section < initialize, "{log}");
}

/// A module that pauses what its headers callback does not continue.
fn module(imports: &str, on_request_headers: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            {imports}
            (memory (export "memory") 1)
            (data (i32.const 12) "\0a\00\00\00o\00h\00 \00n\00o\00")
            (data (i32.const 40) "\12\00\00\00p\00l\00u\00g\00i\00n\00.\00t\00s\00")
            (data (i32.const 100) "\80\00\00\00\0c\00\00\00")
            (data (i32.const 128) "old printing")
            (func (export "proxy_abi_version_0_1_0"))
            (func (export "malloc") (param i32) (result i32) (i32.const 1024))
            (func (export "proxy_on_request_headers") (param i32 i32) (result i32)
                {on_request_headers}
                (i32.const 1)))"#
    );
    wat::parse_str(text).unwrap()
}

/// Result-less in the specification's text, with a status in Envoy: both forms resume.
#[test]
fn continue_request_without_a_result() {
    let without = module(
        r#"(import "env" "proxy_continue_request" (func $continue))"#,
        "(call $continue)",
    );
    let with = module(
        r#"(import "env" "proxy_continue_request" (func $continue (result i32)))"#,
        "(drop (call $continue))",
    );
    for bytes in [without, with] {
        Case::of_bytes(&bytes).run(|running| assert_eq!(running.get("/").status, 200));
    }
}

#[test]
fn clear_route_cache_without_a_result() {
    let bytes = module(
        r#"(import "env" "proxy_clear_route_cache" (func $clear))
           (import "env" "proxy_continue_request" (func $continue))"#,
        "(call $clear) (call $continue)",
    );
    Case::of_bytes(&bytes).run(|running| assert_eq!(running.get("/").status, 200));
}

/// AssemblyScript's: the message is in the log, and the VM has failed.
#[test]
fn abort_says_why() {
    let bytes = module(
        r#"(import "env" "abort" (func $abort (param i32 i32 i32 i32)))"#,
        "(call $abort (i32.const 16) (i32.const 44) (i32.const 7) (i32.const 3))",
    );
    let running = Case::of_bytes(&bytes).start();
    assert_eq!(running.get("/").status, 503);
    running.proxy.wait_for_log(&["oh no", "plugin.ts:7:3"]);
}

/// Addresses of nothing are no reason to fail otherwise.
#[test]
fn abort_with_wild_addresses() {
    let bytes = module(
        r#"(import "env" "abort" (func $abort (param i32 i32 i32 i32)))"#,
        "(call $abort (i32.const -1) (i32.const 2) (i32.const 7) (i32.const 3))",
    );
    let running = Case::of_bytes(&bytes).start();
    assert_eq!(running.get("/").status, 503);
    running.proxy.wait_for_log(&["abort"]);
}

/// AssemblyScript's `Math.random`: between 0 and 2^53.
#[test]
fn seed_is_a_number() {
    let bytes = module(
        r#"(import "env" "seed" (func $seed (result f64)))
           (import "env" "proxy_continue_request" (func $continue))"#,
        "(if (f64.ge (call $seed) (f64.const 0)) (then (call $continue)))",
    );
    Case::of_bytes(&bytes).run(|running| assert_eq!(running.get("/").status, 200));
}

/// Emscripten's, of 256 bytes at most: `random_device` of C++ imports it.
#[test]
fn getentropy_is_random() {
    let bytes = module(
        r#"(import "env" "getentropy" (func $entropy (param i32 i32) (result i32)))
           (import "env" "proxy_continue_request" (func $continue))"#,
        "(if (i32.eqz (i32.or
                (call $entropy (i32.const 400) (i32.const 256))
                (i32.or
                    (i64.eqz (i64.load (i32.const 648)))
                    (i32.or
                        (i32.ne (call $entropy (i32.const 400) (i32.const 257)) (i32.const -1))
                        (i32.ne (call $entropy (i32.const -1) (i32.const 2)) (i32.const -1))))))
            (then (call $continue)))",
    );
    Case::of_bytes(&bytes).run(|running| assert_eq!(running.get("/").status, 200));
}

/// Both names of WASI carry the same functions.
#[test]
fn wasi_unstable_is_wasi() {
    for name in ["wasi_unstable", "wasi_snapshot_preview1"] {
        let bytes = module(
            &format!(
                r#"(import "{name}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
                   (import "env" "proxy_continue_request" (func $continue))"#
            ),
            "(if (i32.eqz (call $write (i32.const 1) (i32.const 100) (i32.const 1) (i32.const 200)))
                (then (call $continue)))",
        );
        let running = Case::of_bytes(&bytes).start();
        assert_eq!(running.get("/").status, 200, "{name}");
        running.proxy.wait_for_log(&["old printing"]);
    }
}

/// Old AssemblyScript declares these without metadata.
#[test]
fn grpc_calls_with_fewer_parameters_link() {
    let params = |count: usize| "i32 ".repeat(count);
    let bytes = module(
        &format!(
            r#"(import "env" "proxy_grpc_call" (func (param {}) (result i32)))
               (import "env" "proxy_grpc_stream" (func (param {}) (result i32)))
               (import "env" "proxy_continue_request" (func $continue))"#,
            params(10),
            params(7)
        ),
        "(call $continue)",
    );
    Case::of_bytes(&bytes).run(|running| assert_eq!(running.get("/").status, 200));
}

/// Nobody knows them, and nobody calls them.
#[test]
fn odd_imports_that_are_not_called_do_not_matter() {
    let bytes = module(
        r#"(import "env" "proxy_odd" (func (param f32 i64) (result f64)))
           (import "env" "proxy_log" (func (param i64) (result i32)))
           (import "nobody" "knows" (func (result i64)))
           (import "env" "proxy_continue_request" (func $continue))"#,
        "(call $continue)",
    );
    Case::of_bytes(&bytes).run(|running| assert_eq!(running.get("/").status, 200));
}

/// Nothing sensible can be answered: the VM fails, by the import's name.
#[test]
fn an_odd_import_that_is_called_traps_by_name() {
    let bytes = module(
        r#"(import "env" "proxy_odd" (func $odd (result f64)))"#,
        "(drop (call $odd))",
    );
    let running = Case::of_bytes(&bytes).start();
    assert_eq!(running.get("/").status, 503);
    running.proxy.wait_for_log(&["proxy_odd"]);
}

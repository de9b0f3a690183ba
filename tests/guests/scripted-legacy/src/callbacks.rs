//! The callbacks and start functions of the ABI.

use std::cell::RefCell;
use std::collections::HashMap;

use conformance_script::{Runner, Script};

use crate::machine::{Raw, configuration, log};

#[derive(Default)]
struct Plugins {
    /// By root context.
    runners: HashMap<u32, Runner>,
    /// The root contexts of stream contexts.
    parents: HashMap<u32, u32>,
}

thread_local! {
    static PLUGINS: RefCell<Plugins> = RefCell::default();
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    PLUGINS.with_borrow_mut(|plugins| {
        if parent == 0 {
            match Script::parse(&configuration()) {
                Ok(script) => {
                    plugins.runners.insert(context, Runner::new(script));
                }
                Err(error) => log(&error),
            }
        } else {
            plugins.parents.insert(context, parent);
        }
    });
    run("context_create", &[context, parent], 0);
}

fn run(callback: &str, params: &[u32], default: u32) -> u32 {
    PLUGINS.with_borrow_mut(|plugins| {
        let context = params.first().copied().unwrap_or(0);
        let root = plugins.parents.get(&context).copied().unwrap_or(context);
        let params: Vec<_> = params.iter().map(|param| u64::from(*param)).collect();
        match plugins.runners.get_mut(&root) {
            Some(runner) => runner.run(&mut Raw, callback, &params, default),
            None => {
                log(&format!("[[@? {callback} {params:?}]]"));
                default
            }
        }
    })
}

macro_rules! callbacks {
    ($($export:ident = $name:literal ($($param:ident),*) $(-> $default:literal)?;)*) => {
        $(callbacks!(@ $export $name [$($param),*] $($default)?);)*
    };
    (@ $export:ident $name:literal [$($param:ident),*]) => {
        #[unsafe(no_mangle)]
        extern "C" fn $export($($param: u32),*) {
            run($name, &[$($param),*], 0);
        }
    };
    (@ $export:ident $name:literal [$($param:ident),*] $default:literal) => {
        #[unsafe(no_mangle)]
        extern "C" fn $export($($param: u32),*) -> u32 {
            run($name, &[$($param),*], $default)
        }
    };
}

callbacks! {
    proxy_on_vm_start = "vm_start" (root, size) -> 1;
    proxy_on_configure = "configure" (root, size) -> 1;
    proxy_on_tick = "tick" (root);
    proxy_on_queue_ready = "queue_ready" (root, token);
    any_request_headers_2 = "request_headers" (context, count) -> 0;
    any_request_headers_3 = "request_headers" (context, count, end) -> 0;
    proxy_on_request_body = "request_body" (context, size, end) -> 0;
    proxy_on_request_trailers = "request_trailers" (context, count) -> 0;
    any_response_headers_2 = "response_headers" (context, count) -> 0;
    any_response_headers_3 = "response_headers" (context, count, end) -> 0;
    proxy_on_response_body = "response_body" (context, size, end) -> 0;
    proxy_on_response_trailers = "response_trailers" (context, count) -> 0;
    proxy_on_http_call_response = "http_call_response" (root, token, headers, body_size, trailers);
    proxy_on_grpc_receive_initial_metadata = "grpc_receive_initial_metadata" (root, token, count);
    proxy_on_grpc_receive = "grpc_receive" (root, token, size);
    proxy_on_grpc_receive_trailing_metadata = "grpc_receive_trailing_metadata" (root, token, count);
    proxy_on_grpc_close = "grpc_close" (root, token, status);
    proxy_on_foreign_function = "foreign_function" (context, id, size);
    proxy_on_done = "done" (context) -> 1;
    proxy_on_log = "log" (context);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    run("delete", &[context], 0);
    PLUGINS.with_borrow_mut(|plugins| {
        plugins.parents.remove(&context);
        plugins.runners.remove(&context);
    });
}

macro_rules! nothing {
    ($($name:ident)*) => {
        $(#[unsafe(no_mangle)] extern "C" fn $name() {})*
    };
}

nothing!(any_marker_0_1_0 any_marker_0_2_0 any_marker_0_2_1 any_marker_0_3_0);

macro_rules! starts {
    ($($export:ident($($param:ident),*) $name:literal $($result:ty)?;)*) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $export($($param: u32),*) $(-> $result)? {
                let params: &[u32] = &[$($param),*];
                log(&format!("[[@! {}{}]]", $name, params.iter().map(|param| format!(" {param}")).collect::<String>()));
                $(<$result>::from(7_u8))?
            }
        )*
    };
}

starts! {
    any_initialize() "_initialize";
    any_start() "_start";
    any_main(argc, argv) "main" u32;
    any_main_void() "__main_void" u32;
}

#[unsafe(no_mangle)]
extern "C" fn any_start_exits() {
    log("[[@! _start]]");
    crate::functions::call("wasi.proc_exit", &[0]);
}

#[unsafe(no_mangle)]
extern "C" fn any_start_fails() {
    log("[[@! _start]]");
    crate::functions::call("wasi.proc_exit", &[3]);
}

//! The component's exports.

use std::cell::RefCell;

use conformance_script::{Runner, Script};

use crate::bindings::exports::proxy_wasm::plugin::{
    foreign_function_handler, grpc_callout_handler, http_callout_handler, http_filter, lifecycle,
    shared_queue_handler, timer_handler,
};
use crate::bindings::proxy_wasm::plugin::plugin_types::{
    DataAction, Fields, HeaderAction, Interest, TrailersAction,
};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::machine::{Context, Typed, log};

struct Plugin;

struct Root {
    root: u64,
    vm_configuration: usize,
    runner: Option<Runner>,
}

#[derive(Default)]
struct Plugins {
    roots: Vec<Root>,
    /// Contexts in the order in which they came; the first is number 1.
    contexts: Vec<Context>,
}

thread_local! {
    static PLUGINS: RefCell<Plugins> = RefCell::default();
}

impl Plugins {
    /// The number of a context: as in a legacy module, counted from 1.
    fn number(&mut self, context: Context) -> u64 {
        let at = self.contexts.iter().position(|other| *other == context);
        let at = at.unwrap_or_else(|| {
            self.contexts.push(context);
            self.contexts.len() - 1
        });
        at as u64 + 1
    }
}

fn run(root: u64, stream: Option<u64>, callback: &str, params: &[u64], default: u32) -> u32 {
    PLUGINS.with_borrow_mut(|plugins| {
        let context = Context { root, stream };
        let number = plugins.number(context);
        let contexts = plugins.contexts.clone();
        let params = [&[number], params].concat();
        let found = plugins.roots.iter_mut().find(|other| other.root == root);
        match found.and_then(|root| root.runner.as_mut()) {
            Some(runner) => {
                let mut machine = Typed::new(context, contexts);
                runner.run(&mut machine, callback, &params, default)
            }
            None => {
                log(&format!("[[@? {callback} {params:?}]]"));
                default
            }
        }
    })
}

impl lifecycle::Guest for Plugin {
    fn start(
        root: u64,
        _info: lifecycle::PluginInfo,
        vm_configuration: Vec<u8>,
    ) -> Result<(), String> {
        PLUGINS.with_borrow_mut(|plugins| {
            plugins.roots.push(Root {
                root,
                vm_configuration: vm_configuration.len(),
                runner: None,
            });
        });
        Ok(())
    }

    fn configure(root: u64, configuration: Vec<u8>) -> Result<Interest, String> {
        let size = configuration.len() as u64;
        let script = Script::parse(&String::from_utf8_lossy(&configuration))?;
        let vm_size = PLUGINS.with_borrow_mut(|plugins| {
            let mut roots = plugins.roots.iter_mut();
            let found = roots
                .find(|other| other.root == root)
                .ok_or("not started")?;
            found.runner = Some(Runner::new(script));
            Ok::<_, String>(found.vm_configuration as u64)
        })?;
        if run(root, None, "vm_start", &[vm_size], 1) == 0 {
            return Err("vm_start returned 0".into());
        }
        if run(root, None, "configure", &[size], 1) == 0 {
            return Err("configure returned 0".into());
        }
        Ok(Interest::all())
    }

    fn on_done(root: u64) -> bool {
        run(root, None, "done", &[], 1) != 0
    }

    fn on_delete(root: u64) {
        run(root, None, "delete", &[], 0);
    }
}

fn header_action(number: u32) -> HeaderAction {
    match number {
        0 => HeaderAction::Continue,
        1 => HeaderAction::Pause,
        2 => HeaderAction::ContinueAndEndStream,
        3 => HeaderAction::PauseAllAndBuffer,
        _ => HeaderAction::PauseAllAndWatermark,
    }
}

fn data_action(number: u32) -> DataAction {
    match number {
        0 => DataAction::Continue,
        1 => DataAction::PauseAndBuffer,
        2 => DataAction::PauseAndWatermark,
        _ => DataAction::PauseNoBuffer,
    }
}

fn trailers_action(number: u32) -> TrailersAction {
    match number {
        0 => TrailersAction::Continue,
        _ => TrailersAction::Pause,
    }
}

impl http_filter::Guest for Plugin {
    fn on_request_headers(root: u64, stream: u64, count: u32, end: bool) -> HeaderAction {
        let params = [count.into(), end.into()];
        header_action(run(root, Some(stream), "request_headers", &params, 0))
    }

    fn on_request_body(root: u64, stream: u64, size: u32, end: bool) -> DataAction {
        let params = [size.into(), end.into()];
        data_action(run(root, Some(stream), "request_body", &params, 0))
    }

    fn on_request_trailers(root: u64, stream: u64, count: u32) -> TrailersAction {
        trailers_action(run(
            root,
            Some(stream),
            "request_trailers",
            &[count.into()],
            0,
        ))
    }

    fn on_response_headers(root: u64, stream: u64, count: u32, end: bool) -> HeaderAction {
        let params = [count.into(), end.into()];
        header_action(run(root, Some(stream), "response_headers", &params, 0))
    }

    fn on_response_body(root: u64, stream: u64, size: u32, end: bool) -> DataAction {
        let params = [size.into(), end.into()];
        data_action(run(root, Some(stream), "response_body", &params, 0))
    }

    fn on_response_trailers(root: u64, stream: u64, count: u32) -> TrailersAction {
        trailers_action(run(
            root,
            Some(stream),
            "response_trailers",
            &[count.into()],
            0,
        ))
    }

    fn on_stream_end(root: u64, stream: u64) {
        run(root, Some(stream), "log", &[], 0);
    }
}

impl timer_handler::Guest for Plugin {
    fn on_tick(root: u64) {
        run(root, None, "tick", &[], 0);
    }
}

impl shared_queue_handler::Guest for Plugin {
    fn on_ready(root: u64, queue: u32) {
        run(root, None, "queue_ready", &[queue.into()], 0);
    }
}

impl http_callout_handler::Guest for Plugin {
    fn on_response(root: u64, id: u64, outcome: Result<(), ErrorCode>) {
        Typed::answer_of(id, || {
            run(
                root,
                None,
                "http_call_response",
                &[outcome.is_ok().into()],
                0,
            );
        });
    }
}

impl grpc_callout_handler::Guest for Plugin {
    fn on_initial_metadata(root: u64, _id: u64, metadata: Fields) {
        let params = [metadata.len() as u64];
        Typed::received(Vec::new(), metadata, || {
            run(root, None, "grpc_receive_initial_metadata", &params, 0);
        });
    }

    fn on_message(root: u64, _id: u64, message: Vec<u8>) {
        let params = [message.len() as u64];
        Typed::received(message, Vec::new(), || {
            run(root, None, "grpc_receive", &params, 0);
        });
    }

    fn on_trailing_metadata(root: u64, _id: u64, metadata: Fields) {
        let params = [metadata.len() as u64];
        Typed::received(Vec::new(), metadata, || {
            run(root, None, "grpc_receive_trailing_metadata", &params, 0);
        });
    }

    fn on_close(root: u64, _id: u64, status: u32, message: String) {
        Typed::received(message.into_bytes(), Vec::new(), || {
            run(root, None, "grpc_close", &[status.into()], 0);
        });
    }
}

impl foreign_function_handler::Guest for Plugin {
    fn on_call(root: u64, function_id: u32, input: Vec<u8>) {
        let params = [function_id.into(), input.len() as u64];
        Typed::received(input, Vec::new(), || {
            run(root, None, "foreign_function", &params, 0);
        });
    }
}

crate::bindings::export!(Plugin with_types_in crate::bindings);

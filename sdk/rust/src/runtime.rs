//! From the component's exports to the methods of plugins.
//!
//! Public only for what [`plugin!`](crate::plugin) expands to.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::exports::proxy_wasm::plugin::{
    foreign_function_handler, grpc_callout_handler, http_callout_handler, http_filter, lifecycle,
    shared_queue_handler, timer_handler,
};
use crate::bindings::proxy_wasm::plugin::plugin_types::{
    DataAction, HeaderAction, Interest, TrailersAction,
};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::grpc::GrpcEvent;
use crate::log;
use crate::plugin::Plugin;

mod context;

pub use self::context::{Context, Start};

thread_local! {
    /// The root contexts of this VM: one, or a few.
    static ROOTS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

struct Entry {
    root: u64,
    /// Not here while one of its callbacks runs, so that nothing is borrowed then.
    context: Option<Box<dyn Context>>,
}

/// The plugins of a component.
pub trait Plugins {
    /// Makes the root context of the plugin that `start` asks for.
    ///
    /// # Errors
    ///
    /// There is none of this `root_id`.
    fn start(start: Start) -> Result<Box<dyn Context>, String>;
}

/// Makes a root context of one plugin.
pub fn context<P: Plugin>(start: Start) -> Box<dyn Context> {
    context::new::<P>(start)
}

/// Has plugins checked where nothing is exported: in builds for the host.
pub const fn check_exports<P: Plugins>() {}

/// The component's exports.
#[derive(Debug)]
pub struct Exports<P>(PhantomData<P>);

impl<P: Plugins> lifecycle::Guest for Exports<P> {
    fn start(
        root: u64,
        info: lifecycle::PluginInfo,
        vm_configuration: Vec<u8>,
    ) -> Result<(), String> {
        report_panics();
        log::start(info.log_level);
        let context = Some(P::start(Start {
            root,
            info,
            vm_configuration,
        })?);
        ROOTS.with_borrow_mut(|roots| roots.push(Entry { root, context }));
        Ok(())
    }

    fn configure(root: u64, configuration: Vec<u8>) -> Result<Interest, String> {
        with_root(root, |context| context.configure(&configuration))
            .unwrap_or_else(|| Err(format!("root context {root} has not been started")))
    }

    fn on_done(root: u64) -> bool {
        with_root(root, |context| context.on_done()).unwrap_or(true)
    }

    fn on_delete(root: u64) {
        with_root(root, |context| context.on_delete());
        let deleted = ROOTS.with_borrow_mut(|roots| {
            let index = roots.iter().position(|entry| entry.root == root)?;
            Some(roots.swap_remove(index))
        });
        // The plugin's own destructors run now that nothing is borrowed.
        drop(deleted);
    }
}

impl<P: Plugins> http_filter::Guest for Exports<P> {
    fn on_request_headers(
        root: u64,
        stream: u64,
        _count: u32,
        end_of_stream: bool,
    ) -> HeaderAction {
        with_root(root, |context| {
            context.on_request_headers(stream, end_of_stream)
        })
        .unwrap_or(HeaderAction::Continue)
    }

    fn on_request_body(root: u64, stream: u64, size: u32, end_of_stream: bool) -> DataAction {
        with_root(root, |context| {
            context.on_request_body(stream, size, end_of_stream)
        })
        .unwrap_or(DataAction::Continue)
    }

    fn on_request_trailers(root: u64, stream: u64, _count: u32) -> TrailersAction {
        with_root(root, |context| context.on_request_trailers(stream))
            .unwrap_or(TrailersAction::Continue)
    }

    fn on_response_headers(
        root: u64,
        stream: u64,
        _count: u32,
        end_of_stream: bool,
    ) -> HeaderAction {
        with_root(root, |context| {
            context.on_response_headers(stream, end_of_stream)
        })
        .unwrap_or(HeaderAction::Continue)
    }

    fn on_response_body(root: u64, stream: u64, size: u32, end_of_stream: bool) -> DataAction {
        with_root(root, |context| {
            context.on_response_body(stream, size, end_of_stream)
        })
        .unwrap_or(DataAction::Continue)
    }

    fn on_response_trailers(root: u64, stream: u64, _count: u32) -> TrailersAction {
        with_root(root, |context| context.on_response_trailers(stream))
            .unwrap_or(TrailersAction::Continue)
    }

    fn on_stream_end(root: u64, stream: u64) {
        with_root(root, |context| context.on_stream_end(stream));
    }
}

impl<P: Plugins> timer_handler::Guest for Exports<P> {
    fn on_tick(root: u64) {
        with_root(root, |context| context.on_tick());
    }
}

impl<P: Plugins> shared_queue_handler::Guest for Exports<P> {
    fn on_ready(root: u64, queue: u32) {
        with_root(root, |context| context.on_queue_ready(queue));
    }
}

impl<P: Plugins> http_callout_handler::Guest for Exports<P> {
    fn on_response(root: u64, id: u64, outcome: Result<(), ErrorCode>) {
        with_root(root, |context| context.on_callout_response(id, outcome));
    }
}

impl<P: Plugins> grpc_callout_handler::Guest for Exports<P> {
    fn on_initial_metadata(root: u64, id: u64, metadata: grpc_callout_handler::Fields) {
        let event = GrpcEvent::InitialMetadata(metadata.into_iter().collect());
        with_root(root, |context| context.on_grpc_event(id, event));
    }

    fn on_message(root: u64, id: u64, message: Vec<u8>) {
        with_root(root, |context| {
            context.on_grpc_event(id, GrpcEvent::Message(message))
        });
    }

    fn on_trailing_metadata(root: u64, id: u64, metadata: grpc_callout_handler::Fields) {
        let event = GrpcEvent::TrailingMetadata(metadata.into_iter().collect());
        with_root(root, |context| context.on_grpc_event(id, event));
    }

    fn on_close(root: u64, id: u64, status: u32, message: String) {
        with_root(root, |context| {
            context.on_grpc_event(id, GrpcEvent::Close { status, message })
        });
    }
}

impl<P: Plugins> foreign_function_handler::Guest for Exports<P> {
    fn on_call(root: u64, function_id: u32, arguments: Vec<u8>) {
        with_root(root, |context| {
            context.on_foreign_call(function_id, &arguments)
        });
    }
}

/// Runs one callback. None if there is no such root context, or it runs one already: a host that does as the contract
/// says asks for neither.
fn with_root<T>(root: u64, callback: impl FnOnce(&mut dyn Context) -> T) -> Option<T> {
    let mut context = ROOTS.with_borrow_mut(|roots| entry(roots, root)?.context.take())?;
    let result = callback(&mut *context);
    ROOTS.with_borrow_mut(|roots| {
        if let Some(entry) = entry(roots, root) {
            entry.context = Some(context);
        }
    });
    Some(result)
}

fn entry(roots: &mut [Entry], root: u64) -> Option<&mut Entry> {
    roots.iter_mut().find(|entry| entry.root == root)
}

/// A panic ends the VM; what it said goes to the plugin's log before, also where there is no standard error.
fn report_panics() {
    #[cfg(target_family = "wasm")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| crate::critical!("{panic}"))));
    }
}

#[cfg(test)]
mod tests;

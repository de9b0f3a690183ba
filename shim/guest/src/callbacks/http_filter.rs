//! Streams (ABI reference 6.1).

use proxy_wasi_abi::action;

use super::{Shim, call, call_in};
use crate::active::Phase;
use crate::bindings::exports::proxy_wasm::plugin::http_filter::Guest;
use crate::bindings::proxy_wasm::plugin::plugin_types::{
    DataAction, HeaderAction, RootContext, StreamContext, TrailersAction,
};
use crate::bridge;
use crate::contexts::{self, Context};
use crate::log;

/// `:method`, `:scheme`, `:authority` and `:path`, which legacy modules count as fields.
const REQUEST_LINE: u32 = 4;

/// `:status`
const STATUS_LINE: u32 = 1;

impl Guest for Shim {
    fn on_request_headers(
        root: RootContext,
        stream: StreamContext,
        count: u32,
        end: bool,
    ) -> HeaderAction {
        let context = context(root, stream);
        header_action(call(context, "proxy_on_request_headers", || {
            bridge::proxy_on_request_headers(
                context.id(),
                count.saturating_add(REQUEST_LINE),
                end.into(),
            )
        }))
    }

    fn on_request_body(
        root: RootContext,
        stream: StreamContext,
        size: u32,
        end: bool,
    ) -> DataAction {
        let context = context(root, stream);
        data_action(call(context, "proxy_on_request_body", || {
            bridge::proxy_on_request_body(context.id(), size, end.into())
        }))
    }

    fn on_request_trailers(root: RootContext, stream: StreamContext, count: u32) -> TrailersAction {
        let context = context(root, stream);
        trailers_action(call(context, "proxy_on_request_trailers", || {
            bridge::proxy_on_request_trailers(context.id(), count)
        }))
    }

    fn on_response_headers(
        root: RootContext,
        stream: StreamContext,
        count: u32,
        end: bool,
    ) -> HeaderAction {
        let context = context(root, stream);
        header_action(call(context, "proxy_on_response_headers", || {
            bridge::proxy_on_response_headers(
                context.id(),
                count.saturating_add(STATUS_LINE),
                end.into(),
            )
        }))
    }

    fn on_response_body(
        root: RootContext,
        stream: StreamContext,
        size: u32,
        end: bool,
    ) -> DataAction {
        let context = context(root, stream);
        data_action(call(context, "proxy_on_response_body", || {
            bridge::proxy_on_response_body(context.id(), size, end.into())
        }))
    }

    fn on_response_trailers(
        root: RootContext,
        stream: StreamContext,
        count: u32,
    ) -> TrailersAction {
        let context = context(root, stream);
        trailers_action(call(context, "proxy_on_response_trailers", || {
            bridge::proxy_on_response_trailers(context.id(), count)
        }))
    }

    /// Log, done, delete: Envoy's order. The answer to `proxy_on_done` matters for root contexts only.
    fn on_stream_end(root: RootContext, stream: StreamContext) {
        let context = context(root, stream);
        let id = context.id();
        call_in(Phase::Log, context, "proxy_on_log", || {
            bridge::proxy_on_log(id)
        });
        call(context, "proxy_on_done", || bridge::proxy_on_done(id));
        call(context, "proxy_on_delete", || bridge::proxy_on_delete(id));
        contexts::with(|contexts| contexts.remove_stream(stream));
    }
}

/// The context of a stream, created when the host first speaks of it.
#[inline]
fn context(root: RootContext, stream: StreamContext) -> Context {
    match contexts::with(|contexts| contexts.stream(stream)) {
        Some(context) => context,
        None => create(root, stream),
    }
}

fn create(root: RootContext, stream: StreamContext) -> Context {
    let created = contexts::with(|contexts| {
        let parent = contexts.root_context(root)?;
        Some((parent.id(), contexts.create_stream(root, stream)))
    });
    let Some((parent, context)) = created else {
        log::abandon("a stream callback came for a root context that was not configured");
    };
    call(context, "proxy_on_context_create", || {
        bridge::proxy_on_context_create(context.id(), parent)
    });
    context
}

fn header_action(result: u32) -> HeaderAction {
    match action::HeadersAction::from(result) {
        action::HeadersAction::Continue => HeaderAction::Continue,
        action::HeadersAction::StopIteration => HeaderAction::Pause,
        action::HeadersAction::ContinueAndEndStream => HeaderAction::ContinueAndEndStream,
        action::HeadersAction::StopAllIterationAndBuffer => HeaderAction::PauseAllAndBuffer,
        action::HeadersAction::StopAllIterationAndWatermark => HeaderAction::PauseAllAndWatermark,
    }
}

fn data_action(result: u32) -> DataAction {
    match action::DataAction::from(result) {
        action::DataAction::Continue => DataAction::Continue,
        action::DataAction::StopIterationAndBuffer => DataAction::PauseAndBuffer,
        action::DataAction::StopIterationAndWatermark => DataAction::PauseAndWatermark,
        action::DataAction::StopIterationNoBuffer => DataAction::PauseNoBuffer,
    }
}

fn trailers_action(result: u32) -> TrailersAction {
    match action::TrailersAction::from(result) {
        action::TrailersAction::Continue => TrailersAction::Continue,
        action::TrailersAction::StopIteration => TrailersAction::Pause,
    }
}

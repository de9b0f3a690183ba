//! What a plugin's author implements.

use crate::bindings::proxy_wasm::plugin::plugin_types::{
    DataAction, HeaderAction, Interest, TrailersAction,
};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::callout::{CalloutId, CalloutResponse};
use crate::error::{Error, Result};
use crate::exchange::Exchange;
use crate::grpc::GrpcEvent;
use crate::local_response::LocalResponse;
use crate::queue::QueueToken;
use crate::root::Root;

/// A plugin: one value for each configured use of it, in each worker's VM.
///
/// An error in a callback is logged; what becomes of an exchange then, [`HttpStream::on_error`] says.
pub trait Plugin: Sized + 'static {
    /// What the plugin keeps for each exchange; a unit struct if nothing.
    type Stream: HttpStream<Plugin = Self>;

    /// The stream callbacks that the plugin implements. The host never calls another one, so what is forgotten here
    /// does not happen, and what is not needed here costs nothing.
    ///
    /// Several are joined with [`union`](Interest::union), since constants cannot have `|`:
    ///
    /// ```
    /// # use proxy_wasi_sdk::Interest;
    /// const INTEREST: Interest = Interest::REQUEST_HEADERS
    ///     .union(Interest::REQUEST_BODY)
    ///     .union(Interest::STREAM_END);
    /// ```
    const INTEREST: Interest;

    /// Makes the plugin from its configuration, which may be empty. `root` knows the VM's configuration.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the configuration. The host refuses the plugin and shows the text.
    fn configure(root: &Root, configuration: &[u8]) -> Result<Self>;

    /// Makes the state of an exchange, before its first callback.
    ///
    /// A type without any (zero-sized, no `Drop`) is not kept but made anew for each callback. So do not count
    /// exchanges here: what is to happen once for each belongs in [`HttpStream::on_request_headers`].
    fn stream(&mut self) -> Self::Stream;

    /// Returns the stream callbacks that the plugin wants, if that depends on its configuration.
    fn interest(&self) -> Interest {
        Self::INTEREST
    }

    /// A period of [`Root::set_tick_period`] has passed.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is logged.
    fn on_tick(&mut self, root: &Root) -> Result<()> {
        let _ = root;
        Ok(())
    }

    /// An item was put in a queue that this root context registered. It may have been taken already.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is logged.
    fn on_queue_ready(&mut self, root: &Root, queue: QueueToken) -> Result<()> {
        let _ = (root, queue);
        Ok(())
    }

    /// A callout of [`Root::send_callout`] was answered, with whatever status, or has failed.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is logged.
    fn on_callout_response(
        &mut self,
        root: &Root,
        id: CalloutId,
        response: Result<CalloutResponse, ErrorCode>,
    ) -> Result<()> {
        let _ = (root, id, response);
        Ok(())
    }

    /// Something has come from a gRPC callout of [`Root::call_grpc`] or [`Root::open_grpc`].
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is logged.
    fn on_grpc_event(&mut self, root: &Root, id: CalloutId, event: GrpcEvent) -> Result<()> {
        let _ = (root, id, event);
        Ok(())
    }

    /// The host calls a function that it has agreed on with this plugin.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is logged.
    fn on_foreign_call(&mut self, root: &Root, function_id: u32, arguments: &[u8]) -> Result<()> {
        let _ = (root, function_id, arguments);
        Ok(())
    }

    /// The plugin has been removed or replaced, and its last exchange has ended. False asks the host to wait until
    /// [`Root::done`].
    fn on_done(&mut self, root: &Root) -> bool {
        let _ = root;
        true
    }

    /// The last callback. The plugin is dropped afterwards.
    fn on_delete(&mut self, root: &Root) {
        let _ = root;
    }
}

/// The part of a plugin that sees an HTTP exchange: one value for each.
///
/// The host calls what [`Plugin::INTEREST`] names. Plugins are called in the configured order on the request path, in
/// reverse on the response path. Response callbacks may begin before the request's body has ended.
pub trait HttpStream: Sized + 'static {
    /// The plugin that it is part of.
    type Plugin: Plugin<Stream = Self>;

    /// The request's head is there. `end_of_stream`: neither body nor trailers follow.
    ///
    /// # Errors
    ///
    /// Whatever went wrong, for [`on_error`](Self::on_error); so for all callbacks.
    fn on_request_headers(
        &mut self,
        plugin: &mut Self::Plugin,
        exchange: &Exchange<'_>,
        end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let _ = (plugin, exchange, end_of_stream);
        Ok(HeaderAction::Continue)
    }

    /// A piece of the request's body is there, or (`size` 0) its end. `size`: the bytes that
    /// [`Request::body`](crate::Request::body) shows now.
    ///
    /// # Errors
    ///
    /// See [`on_request_headers`](Self::on_request_headers).
    fn on_request_body(
        &mut self,
        plugin: &mut Self::Plugin,
        exchange: &Exchange<'_>,
        size: u32,
        end_of_stream: bool,
    ) -> Result<DataAction> {
        let _ = (plugin, exchange, size, end_of_stream);
        Ok(DataAction::Continue)
    }

    /// The request's trailers are there.
    ///
    /// # Errors
    ///
    /// See [`on_request_headers`](Self::on_request_headers).
    fn on_request_trailers(
        &mut self,
        plugin: &mut Self::Plugin,
        exchange: &Exchange<'_>,
    ) -> Result<TrailersAction> {
        let _ = (plugin, exchange);
        Ok(TrailersAction::Continue)
    }

    /// The response's head is there: the upstream's, or a local response's. `end_of_stream`: neither body nor trailers
    /// follow.
    ///
    /// # Errors
    ///
    /// See [`on_request_headers`](Self::on_request_headers).
    fn on_response_headers(
        &mut self,
        plugin: &mut Self::Plugin,
        exchange: &Exchange<'_>,
        end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let _ = (plugin, exchange, end_of_stream);
        Ok(HeaderAction::Continue)
    }

    /// A piece of the response's body is there, or (`size` 0) its end. `size`: the bytes that
    /// [`Response::body`](crate::Response::body) shows now.
    ///
    /// # Errors
    ///
    /// See [`on_request_headers`](Self::on_request_headers).
    fn on_response_body(
        &mut self,
        plugin: &mut Self::Plugin,
        exchange: &Exchange<'_>,
        size: u32,
        end_of_stream: bool,
    ) -> Result<DataAction> {
        let _ = (plugin, exchange, size, end_of_stream);
        Ok(DataAction::Continue)
    }

    /// The response's trailers are there.
    ///
    /// # Errors
    ///
    /// See [`on_request_headers`](Self::on_request_headers).
    fn on_response_trailers(
        &mut self,
        plugin: &mut Self::Plugin,
        exchange: &Exchange<'_>,
    ) -> Result<TrailersAction> {
        let _ = (plugin, exchange);
        Ok(TrailersAction::Continue)
    }

    /// The exchange is over, well or badly. All headers and trailers that ever existed are readable, none is writable.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is logged.
    fn on_stream_end(&mut self, plugin: &mut Self::Plugin, exchange: &Exchange<'_>) -> Result<()> {
        let _ = (plugin, exchange);
        Ok(())
    }

    /// A callout of [`Exchange::send_callout`] was answered, with whatever status, or has failed. The answer to an
    /// exchange that is over is dropped.
    ///
    /// An exchange that waits for the answer goes on with [`Exchange::resume_request`] or ends with
    /// [`Exchange::respond`]; with `response?` a callout that has failed ends it through
    /// [`on_error`](Self::on_error).
    ///
    /// # Errors
    ///
    /// See [`on_request_headers`](Self::on_request_headers).
    fn on_callout_response(
        &mut self,
        plugin: &mut Self::Plugin,
        exchange: &Exchange<'_>,
        id: CalloutId,
        response: Result<CalloutResponse, ErrorCode>,
    ) -> Result<()> {
        let _ = (plugin, exchange, id, response);
        Ok(())
    }

    /// Something has come from a gRPC callout of [`Exchange::call_grpc`] or [`Exchange::open_grpc`]. What comes for an
    /// exchange that is over is dropped. A stream is answered with [`Root::send_grpc`].
    ///
    /// # Errors
    ///
    /// See [`on_request_headers`](Self::on_request_headers).
    fn on_grpc_event(
        &mut self,
        plugin: &mut Self::Plugin,
        exchange: &Exchange<'_>,
        id: CalloutId,
        event: GrpcEvent,
    ) -> Result<()> {
        let _ = (plugin, exchange, id, event);
        Ok(())
    }

    /// A callback of this exchange has failed, and was logged. By default the exchange fails too: it is answered with
    /// 500, or reset if it is too late for that. A plugin that would rather let it pass does nothing here.
    fn on_error(&mut self, plugin: &mut Self::Plugin, exchange: &Exchange<'_>, error: Error) {
        let _ = (plugin, error);
        if exchange
            .respond(LocalResponse::new(500).details("plugin_error"))
            .is_err()
        {
            exchange.reset();
        }
    }
}

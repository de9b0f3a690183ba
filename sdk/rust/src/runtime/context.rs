//! A root context with its plugin and streams, behind one object-safe trait.

use std::mem::needs_drop;

use crate::bindings::exports::proxy_wasm::plugin::lifecycle::PluginInfo;
use crate::bindings::proxy_wasm::plugin::http_headers::{self, HeaderError};
use crate::bindings::proxy_wasm::plugin::plugin_types::{
    DataAction, HeaderAction, HeaderMap, Interest, TrailersAction,
};
use crate::bindings::wasi::http::types::ErrorCode;
use crate::callout::{CalloutId, CalloutResponse};
use crate::error::Result;
use crate::exchange::Exchange;
use crate::grpc::GrpcEvent;
use crate::plugin::{HttpStream, Plugin};
use crate::queue::QueueToken;
use crate::root::Root;
use crate::streams::StreamTable;

/// What a root context is started with.
#[derive(Debug)]
pub struct Start {
    pub(super) root: u64,
    pub(super) info: PluginInfo,
    pub(super) vm_configuration: Vec<u8>,
}

impl Start {
    /// Returns which of the component's plugins is wanted.
    pub fn root_id(&self) -> &str {
        &self.info.root_id
    }
}

/// A root context of whatever plugin.
#[expect(missing_docs, reason = "each method is the callback of its name")]
pub trait Context {
    fn configure(&mut self, configuration: &[u8]) -> Result<Interest, String>;
    fn on_request_headers(&mut self, stream: u64, end_of_stream: bool) -> HeaderAction;
    fn on_request_body(&mut self, stream: u64, size: u32, end_of_stream: bool) -> DataAction;
    fn on_request_trailers(&mut self, stream: u64) -> TrailersAction;
    fn on_response_headers(&mut self, stream: u64, end_of_stream: bool) -> HeaderAction;
    fn on_response_body(&mut self, stream: u64, size: u32, end_of_stream: bool) -> DataAction;
    fn on_response_trailers(&mut self, stream: u64) -> TrailersAction;
    fn on_stream_end(&mut self, stream: u64);
    fn on_tick(&mut self);
    fn on_queue_ready(&mut self, queue: u32);
    fn on_callout_response(&mut self, id: u64, outcome: Result<(), ErrorCode>);
    fn on_grpc_event(&mut self, id: u64, event: GrpcEvent);
    fn on_foreign_call(&mut self, function_id: u32, arguments: &[u8]);
    fn on_done(&mut self) -> bool;
    fn on_delete(&mut self);
}

pub(super) fn new<P: Plugin>(start: Start) -> Box<dyn Context> {
    let kept = if PluginContext::<P>::KEEPS_STREAMS {
        Interest::STREAM_END
    } else {
        Interest::empty()
    };
    Box::new(PluginContext::<P> {
        root: Root::new(start.root, start.info, start.vm_configuration, kept),
        plugin: None,
        streams: StreamTable::new(),
    })
}

struct PluginContext<P: Plugin> {
    root: Root,
    /// There once it is configured.
    plugin: Option<P>,
    streams: StreamTable<P::Stream>,
}

impl<P: Plugin> PluginContext<P> {
    /// Streams without state are made anew for each callback, so that nobody has to be told when they end.
    const KEEPS_STREAMS: bool = size_of::<P::Stream>() > 0 || needs_drop::<P::Stream>();

    /// Runs a stream's callback; `otherwise` is its result if it fails.
    fn stream_callback<T>(
        &mut self,
        context: u64,
        name: &str,
        otherwise: T,
        callback: impl FnOnce(&mut P::Stream, &mut P, &Exchange<'_>) -> Result<T>,
    ) -> T {
        let Some(plugin) = &mut self.plugin else {
            return otherwise;
        };
        let exchange = Exchange {
            context,
            root: &self.root,
        };
        let mut made;
        let stream = if Self::KEEPS_STREAMS {
            self.streams.get_or_insert_with(context, || plugin.stream())
        } else {
            made = plugin.stream();
            &mut made
        };
        callback(stream, plugin, &exchange).unwrap_or_else(|error| {
            crate::error!("{name} of plugin `{}` failed: {error}", self.root.name());
            stream.on_error(plugin, &exchange, error);
            otherwise
        })
    }

    /// Runs a callback of the root context.
    fn root_callback(&mut self, name: &str, callback: impl FnOnce(&mut P, &Root) -> Result<()>) {
        if let Some(plugin) = &mut self.plugin
            && let Err(error) = callback(plugin, &self.root)
        {
            crate::error!("{name} of plugin `{}` failed: {error}", self.root.name());
        }
    }

    /// Whether a stream that made a callout is still there to get the answer.
    fn is_live(&mut self, stream: u64) -> bool {
        if Self::KEEPS_STREAMS {
            self.streams.get_mut(stream).is_some()
        } else {
            http_headers::count(stream, HeaderMap::RequestHeaders)
                != Err(HeaderError::UnknownStream)
        }
    }
}

impl<P: Plugin> Context for PluginContext<P> {
    fn configure(&mut self, configuration: &[u8]) -> Result<Interest, String> {
        let plugin = P::configure(&self.root, configuration).map_err(|error| error.to_string())?;
        let interest = plugin.interest();
        self.plugin = Some(plugin);
        // A plugin that sees nothing of a stream keeps nothing of it either.
        Ok(if interest.is_empty() {
            interest
        } else {
            interest | self.root.kept_interest()
        })
    }

    fn on_request_headers(&mut self, stream: u64, end_of_stream: bool) -> HeaderAction {
        self.stream_callback(
            stream,
            "on_request_headers",
            HeaderAction::Continue,
            |stream, plugin, exchange| stream.on_request_headers(plugin, exchange, end_of_stream),
        )
    }

    fn on_request_body(&mut self, stream: u64, size: u32, end_of_stream: bool) -> DataAction {
        self.stream_callback(
            stream,
            "on_request_body",
            DataAction::Continue,
            |stream, plugin, exchange| {
                stream.on_request_body(plugin, exchange, size, end_of_stream)
            },
        )
    }

    fn on_request_trailers(&mut self, stream: u64) -> TrailersAction {
        self.stream_callback(
            stream,
            "on_request_trailers",
            TrailersAction::Continue,
            |stream, plugin, exchange| stream.on_request_trailers(plugin, exchange),
        )
    }

    fn on_response_headers(&mut self, stream: u64, end_of_stream: bool) -> HeaderAction {
        self.stream_callback(
            stream,
            "on_response_headers",
            HeaderAction::Continue,
            |stream, plugin, exchange| stream.on_response_headers(plugin, exchange, end_of_stream),
        )
    }

    fn on_response_body(&mut self, stream: u64, size: u32, end_of_stream: bool) -> DataAction {
        self.stream_callback(
            stream,
            "on_response_body",
            DataAction::Continue,
            |stream, plugin, exchange| {
                stream.on_response_body(plugin, exchange, size, end_of_stream)
            },
        )
    }

    fn on_response_trailers(&mut self, stream: u64) -> TrailersAction {
        self.stream_callback(
            stream,
            "on_response_trailers",
            TrailersAction::Continue,
            |stream, plugin, exchange| stream.on_response_trailers(plugin, exchange),
        )
    }

    fn on_stream_end(&mut self, context: u64) {
        let Some(plugin) = &mut self.plugin else {
            return;
        };
        let exchange = Exchange {
            context,
            root: &self.root,
        };
        let mut stream = self
            .streams
            .remove(context)
            .unwrap_or_else(|| plugin.stream());
        // There is nothing left to answer with an error.
        if let Err(error) = stream.on_stream_end(plugin, &exchange) {
            crate::error!(
                "on_stream_end of plugin `{}` failed: {error}",
                self.root.name()
            );
        }
    }

    fn on_tick(&mut self) {
        self.root_callback("on_tick", P::on_tick);
    }

    fn on_queue_ready(&mut self, queue: u32) {
        self.root_callback("on_queue_ready", |plugin, root| {
            plugin.on_queue_ready(root, QueueToken(queue))
        });
    }

    fn on_callout_response(&mut self, id: u64, outcome: Result<(), ErrorCode>) {
        let response = outcome.map(|()| CalloutResponse::new(id));
        let owner = self.root.callouts.get_mut().remove(&id);
        let id = CalloutId(id);
        match owner {
            None => self.root_callback("on_callout_response", |plugin, root| {
                plugin.on_callout_response(root, id, response)
            }),
            Some(owner) if self.is_live(owner.stream) => {
                self.stream_callback(
                    owner.stream,
                    "on_callout_response",
                    (),
                    |stream, plugin, exchange| {
                        stream.on_callout_response(plugin, exchange, id, response)
                    },
                );
            }
            Some(_) => {}
        }
    }

    fn on_grpc_event(&mut self, id: u64, event: GrpcEvent) {
        let callouts = self.root.callouts.get_mut();
        let owner = callouts.get(&id).copied();
        let last = match &event {
            GrpcEvent::Close { .. } => true,
            GrpcEvent::Message(_) => owner.is_some_and(|owner| owner.ends_with_message),
            GrpcEvent::InitialMetadata(_) | GrpcEvent::TrailingMetadata(_) => false,
        };
        if last {
            callouts.remove(&id);
        }
        let id = CalloutId(id);
        match owner {
            None => self.root_callback("on_grpc_event", |plugin, root| {
                plugin.on_grpc_event(root, id, event)
            }),
            Some(owner) if self.is_live(owner.stream) => {
                self.stream_callback(
                    owner.stream,
                    "on_grpc_event",
                    (),
                    |stream, plugin, exchange| stream.on_grpc_event(plugin, exchange, id, event),
                );
            }
            Some(_) => {}
        }
    }

    fn on_foreign_call(&mut self, function_id: u32, arguments: &[u8]) {
        self.root_callback("on_foreign_call", |plugin, root| {
            plugin.on_foreign_call(root, function_id, arguments)
        });
    }

    fn on_done(&mut self) -> bool {
        self.plugin
            .as_mut()
            .is_none_or(|plugin| plugin.on_done(&self.root))
    }

    fn on_delete(&mut self) {
        if let Some(plugin) = &mut self.plugin {
            plugin.on_delete(&self.root);
        }
    }
}

//! Write proxy plugins in Rust, as WebAssembly components.
//!
//! A plugin is two types: one that implements [`Plugin`], made from the configuration, and one that implements
//! [`HttpStream`], made for each HTTP exchange. [`plugin!`] exports them.
//!
//! ```
//! use proxy_wasi_sdk::prelude::*;
//!
//! struct Greeting {
//!     text: String,
//! }
//!
//! impl Plugin for Greeting {
//!     type Stream = GreetingStream;
//!     const INTEREST: Interest = Interest::RESPONSE_HEADERS;
//!
//!     fn configure(_root: &Root, configuration: &[u8]) -> Result<Self> {
//!         Ok(Self { text: str::from_utf8(configuration)?.to_owned() })
//!     }
//!
//!     fn stream(&mut self) -> GreetingStream {
//!         GreetingStream
//!     }
//! }
//!
//! struct GreetingStream;
//!
//! impl HttpStream for GreetingStream {
//!     type Plugin = Greeting;
//!
//!     fn on_response_headers(
//!         &mut self,
//!         plugin: &mut Greeting,
//!         exchange: &Exchange,
//!         _end_of_stream: bool,
//!     ) -> Result<HeaderAction> {
//!         exchange.response().headers().set("x-greeting", &plugin.text)?;
//!         Ok(HeaderAction::Continue)
//!     }
//! }
//!
//! proxy_wasi_sdk::plugin!(Greeting);
//! ```
//!
//! In a crate with `crate-type = ["cdylib"]`, `cargo build --release --target wasm32-wasip2` makes a component of it,
//! which `proxy-wasi serve` runs.
//!
//! Where to find what:
//!
//! - [`Exchange`]: the messages ([`Request`], [`Response`]) with their [`Headers`] and [`Body`], local responses,
//!   resuming, properties, callouts for this exchange;
//! - [`Root`]: the plugin's name, timer, queues, callouts outside of exchanges, what to do with gRPC streams;
//! - [`metrics`], [`shared_data`], [`clock`], [`random`] and [`log`], which belong to neither.
//!
//! No callback blocks; whatever takes time (a [`Callout`], a tick) answers through another callback. A callback that
//! fails logs its error and ends the exchange, unless [`HttpStream::on_error`] says otherwise; a panic ends the VM. What
//! the SDK does not wrap is in [`bindings`].

pub mod bindings;
pub mod clock;
pub mod log;
pub mod metrics;
pub mod prelude;
pub mod random;
#[doc(hidden)]
pub mod runtime;
pub mod shared_data;

mod body;
mod callout;
mod error;
mod exchange;
mod grpc;
mod headers;
mod http_types;
mod local_response;
mod message;
mod plugin;
mod property;
mod queue;
mod root;
mod streams;

pub use self::bindings::proxy_wasm::plugin::foreign_function::ForeignFunctionError;
pub use self::bindings::proxy_wasm::plugin::grpc_callout::GrpcError;
pub use self::bindings::proxy_wasm::plugin::http_body::BodyError;
pub use self::bindings::proxy_wasm::plugin::http_callout::CalloutError;
pub use self::bindings::proxy_wasm::plugin::http_headers::HeaderError;
pub use self::bindings::proxy_wasm::plugin::http_stream::LocalResponseError;
pub use self::bindings::proxy_wasm::plugin::metrics::MetricError;
pub use self::bindings::proxy_wasm::plugin::plugin_types::{
    DataAction, HeaderAction, Interest, TrailersAction,
};
pub use self::bindings::proxy_wasm::plugin::property::{PropertyError, PropertyValue};
pub use self::bindings::proxy_wasm::plugin::shared_data::SharedDataError;
pub use self::bindings::proxy_wasm::plugin::shared_queue::QueueError;
pub use self::bindings::proxy_wasm::plugin::timer::TimerError;
pub use self::bindings::wasi::http::types::{ErrorCode, Method, Scheme};
pub use self::body::Body;
pub use self::callout::{Callout, CalloutId, CalloutResponse};
pub use self::error::{Error, Reason, Refused, Result};
pub use self::exchange::{Exchange, StreamId};
pub use self::grpc::{GrpcEvent, GrpcMethod};
pub use self::headers::{FieldValue, Fields, Headers};
pub use self::local_response::LocalResponse;
pub use self::message::{Request, Response};
pub use self::plugin::{HttpStream, Plugin};
pub use self::queue::{Queue, QueueToken};
pub use self::root::Root;

/// Has the README's code compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Exports plugins from a component: once in a crate, either one plugin, whatever its `root_id`, or several, chosen by
/// `root_id`.
///
/// ```no_run,standalone_crate
/// # use proxy_wasi_sdk::prelude::*;
/// # macro_rules! plugin_type {
/// #     ($plugin:ident, $stream:ident) => {
/// #         struct $plugin;
/// #         struct $stream;
/// #         impl Plugin for $plugin {
/// #             type Stream = $stream;
/// #             const INTEREST: Interest = Interest::REQUEST_HEADERS;
/// #             fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
/// #                 Ok(Self)
/// #             }
/// #             fn stream(&mut self) -> $stream {
/// #                 $stream
/// #             }
/// #         }
/// #         impl HttpStream for $stream {
/// #             type Plugin = $plugin;
/// #         }
/// #     };
/// # }
/// # plugin_type!(Greeting, GreetingStream);
/// # plugin_type!(Farewell, FarewellStream);
/// proxy_wasi_sdk::plugin! {
///     "greeting" => Greeting,
///     "farewell" => Farewell,
/// }
/// ```
#[macro_export]
macro_rules! plugin {
    ($plugin:ty $(,)?) => {
        $crate::plugin!(@export start => Ok($crate::runtime::context::<$plugin>(start)));
    };
    ($($root_id:literal => $plugin:ty),+ $(,)?) => {
        $crate::plugin!(@export start => match start.root_id() {
            $($root_id => Ok($crate::runtime::context::<$plugin>(start)),)+
            other => Err(::std::format!(
                "no plugin has the root_id `{other}`; this component has {}",
                [$(::core::concat!("`", $root_id, "`")),+].join(", "),
            )),
        });
    };
    (@export $start:ident => $context:expr) => {
        const _: () = {
            struct Plugins;

            impl $crate::runtime::Plugins for Plugins {
                fn start(
                    $start: $crate::runtime::Start,
                ) -> ::std::result::Result<::std::boxed::Box<dyn $crate::runtime::Context>, ::std::string::String> {
                    $context
                }
            }

            // The names of a component's exports are none that a linker for the host takes.
            #[cfg(target_family = "wasm")]
            const _: () = {
                type Exports = $crate::runtime::Exports<Plugins>;

                $crate::bindings::export!(Exports with_types_in $crate::bindings);
            };
            #[cfg(not(target_family = "wasm"))]
            const _: () = $crate::runtime::check_exports::<Plugins>();
        };
    };
}

//! What a proxy is told to be: one model, which a file and the command line both fill.
//!
//! A file or a command line gives [`Settings`]: texts, each with the place it came from, nothing checked. [`Config`]
//! is what they resolve to, defaults included, and cannot hold a wrong value.
//!
//! ```
//! use proxy_wasi_runtime::config::{Config, Settings};
//!
//! let settings = Settings::parse("proxy.yaml".as_ref(), "listen: 127.0.0.1:0\nplugins: [{file: auth.wasm}]")?;
//! let config = Config::resolve(settings)?;
//! assert_eq!(config.plugins[0].name, "auth");
//! # Ok::<(), proxy_wasi_runtime::config::ConfigError>(())
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

pub mod limits;

mod authority;
mod error;
mod file;
mod resolve;
mod routing;
mod settings;
mod upstream;
mod values;

pub use error::{ConfigError, Problem};
pub use file::{MAX_FILE_SIZE, read_file};
pub use limits::{Limits, Restarts, Timeouts};
pub use routing::{
    AuthorityMatch, ClusterConfig, HeaderMatch, Rewrite, RouteConfig, RouteMatch, TlsConfig,
    UPSTREAM_CLUSTER,
};
pub use settings::{
    ClusterSettings, HeaderSettings, LimitSettings, Origin, PluginSettings, RestartSettings,
    RouteSettings, Setting, Settings, TimeoutSettings,
};
pub use upstream::{UpstreamProtocol, UpstreamUrl};

/// Loopback, so that a proxy is open to the network only when somebody asked for that. 8080 is the port that
/// documentation of HTTP proxies uses.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// A worker is a thread with its own listener socket and its own VMs; more than this is a slip of the keyboard.
pub const MAX_WORKERS: usize = 1024;

/// What a proxy runs with. It does not change; a new configuration is a new value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen on. Port 0 asks the system for a free one. Default: [`DEFAULT_LISTEN`].
    pub listen: SocketAddr,
    /// The address of the admin endpoint. Port 0 asks the system for a free one. Default: there is none.
    pub admin: Option<SocketAddr>,
    /// Threads that serve requests, each with its own VMs. At most [`MAX_WORKERS`]. Default: one for each core that
    /// the process may use.
    pub workers: NonZeroUsize,
    /// Where requests and callouts can go. Names are unique. With an upstream given as a URL, the last one is it:
    /// [`UPSTREAM_CLUSTER`].
    pub clusters: Vec<ClusterConfig>,
    /// Which requests go where; the first that matches counts, and 404 answers what none matches. At least one: with an
    /// upstream a route for all requests to it, with neither one to a built-in upstream, which answers with the request
    /// it got, as JSON.
    pub routes: Vec<RouteConfig>,
    /// Whether the upstream sees its own authority as `host`, instead of what the client sent. Default: false.
    pub rewrite_host: bool,
    /// Whether each request leaves a line in the log. Default: true.
    pub access_log: bool,
    /// What the log keeps, of the proxy and of plugins. Default: [`LogLevel::Info`].
    pub log_level: LogLevel,
    /// Where compiled plugins are kept.
    pub cache: CacheLocation,
    /// What one request or one plugin may use.
    pub limits: Limits,
    /// How long the proxy waits for others.
    pub timeouts: Timeouts,
    /// When VMs that failed are built again.
    pub restarts: Restarts,
    /// The filter chain, in the order of the request path. Names are unique.
    pub plugins: Vec<Arc<PluginConfig>>,
}

/// One configured use of a plugin's code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginConfig {
    /// What logs and metrics call it. Default: the file's name without its extension, made unique by a number.
    pub name: String,
    /// A legacy module or a component.
    pub file: PathBuf,
    /// Which of the plugins in this code it is, for code that holds several. Default: empty.
    pub root_id: String,
    /// Plugins with the same `vm_id`, VM configuration, environment and code share a VM, and by `vm_id` shared data and
    /// queues.
    /// Default: empty.
    pub vm_id: String,
    /// What the plugin gets as its configuration. Default: empty.
    pub configuration: Bytes,
    /// What the VM gets as its configuration. Default: empty.
    pub vm_configuration: Bytes,
    /// The environment variables that the VM sees, in the order of their names. The proxy's own are not among them.
    /// Default: none.
    pub environment: Vec<(String, String)>,
    /// What a stream gets while the plugin has no healthy VM. Default: [`FailurePolicy::Closed`].
    pub failure_policy: FailurePolicy,
    /// What becomes of a VM that failed; of one that plugins share, what the first of them says. Default:
    /// [`Recovery::Restart`].
    pub recovery: Recovery,
    /// What a pause in a headers callback holds back. Default: [`OnHeadersPause::StopAll`].
    pub on_headers_pause: OnHeadersPause,
    /// Whether the plugin is a service, which sees no streams. Default: it is a filter of the chain.
    pub service: Option<Service>,
    /// Where its callouts may go. Default: [`AllowCallouts::Clusters`].
    pub allow_callouts: AllowCallouts,
}

/// Where a plugin's callouts may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AllowCallouts {
    /// To the configured clusters.
    #[default]
    Clusters,
    /// Anywhere: also to `host:port`, and to `outbound|port||host`, as Istio names clusters.
    Any,
}

/// What a stream gets while a plugin of its chain has no healthy VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FailurePolicy {
    /// A response with status 503.
    #[default]
    Closed,
    /// The rest of the chain: the plugin is skipped.
    Open,
}

/// What becomes of a VM after a trap or a broken limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Recovery {
    /// It is built again, at once the first time, then with growing waits.
    #[default]
    Restart,
    /// It stays failed.
    Never,
}

/// What it holds back when a plugin pauses in a headers callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnHeadersPause {
    /// Headers, body and trailers: no later callback runs before the plugin resumes. What Envoy does by default.
    #[default]
    StopAll,
    /// The headers only: body callbacks go on, as with Envoy's `allow_on_headers_stop_iteration`.
    StopIteration,
}

/// In which workers a plugin runs that sees no streams: only its root context, for timers, queues and callouts. What
/// Envoy calls a Wasm service (`envoy.bootstrap.wasm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// In all of them, as Envoy's without `singleton`.
    EachWorker,
    /// In one, as Envoy's with `singleton`.
    Once,
}

/// The least severe messages that a log keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// Everything, each host call of a plugin included.
    Trace,
    /// What concerns single requests.
    Debug,
    /// Changes of state.
    #[default]
    Info,
    /// What went wrong and was dealt with.
    Warn,
    /// What somebody must act on. A plugin's critical messages count as errors.
    Error,
    /// Nothing.
    Off,
}

/// Where compiled plugins are kept between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CacheLocation {
    /// `proxy-wasi` in the user's cache directory.
    #[default]
    User,
    /// This directory.
    Directory(PathBuf),
    /// Nowhere: each start compiles.
    Disabled,
}

#[cfg(test)]
mod tests;

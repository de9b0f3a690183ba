//! What was typed: texts with the place each came from.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

/// Where a setting was given, as an error shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag, with its dashes.
    Flag(&'static str),
    /// A key in a configuration file.
    File {
        /// The file.
        path: Arc<Path>,
        /// Counted from 1.
        line: u64,
        /// The way to it from the top, such as `limits.vm_memory` or `plugins[0].name`. Empty if unknown.
        key: String,
    },
}

impl Origin {
    /// What relative paths given here start from: the file's directory, or for a flag the working directory.
    pub fn directory(&self) -> &Path {
        let directory = match self {
            Self::Flag(_) => None,
            Self::File { path, .. } => path.parent(),
        };
        directory.unwrap_or(Path::new(""))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "`{flag}`"),
            Self::File { path, line, key } if key.is_empty() => {
                write!(f, "`{}` line {line}", path.display())
            }
            Self::File { path, line, key } => {
                write!(f, "`{}` line {line}: `{key}`", path.display())
            }
        }
    }
}

/// A text and where it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// As it was typed; in YAML without the quotes.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

impl Setting {
    /// Makes the setting that a flag gives.
    pub fn flag(flag: &'static str, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            origin: Origin::Flag(flag),
        }
    }
}

/// What a file or a command line says, before checks and defaults. None means not given.
///
/// The fields are those of [`Config`](super::Config), which documents them.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "documented where they end up, on `Config`")]
pub struct Settings {
    pub listen: Option<Setting>,
    pub admin: Option<Setting>,
    pub workers: Option<Setting>,
    pub upstream: Option<Setting>,
    pub rewrite_host: Option<Setting>,
    pub access_log: Option<Setting>,
    pub log_level: Option<Setting>,
    /// False disables the compile cache.
    pub cache: Option<Setting>,
    pub cache_dir: Option<Setting>,
    pub limits: LimitSettings,
    pub timeouts: TimeoutSettings,
    pub restarts: RestartSettings,
    pub clusters: Vec<ClusterSettings>,
    pub routes: Vec<RouteSettings>,
    pub plugins: Vec<PluginSettings>,
}

/// What was said about one [`ClusterConfig`](super::ClusterConfig).
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "documented where they end up, on `ClusterConfig`"
)]
pub struct ClusterSettings {
    pub name: Setting,
    pub url: Setting,
    /// The path of a PEM file.
    pub ca: Option<Setting>,
    pub server_name: Option<Setting>,
}

/// What was said about one [`RouteConfig`](super::RouteConfig).
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "documented where they end up, on `RouteConfig`"
)]
pub struct RouteSettings {
    /// Where the route begins.
    pub origin: Origin,
    pub name: Option<Setting>,
    pub authority: Option<Setting>,
    pub path_prefix: Option<Setting>,
    pub headers: Vec<HeaderSettings>,
    pub cluster: Setting,
    pub rewrite_path_prefix: Option<Setting>,
    pub rewrite_authority: Option<Setting>,
}

/// What was said about one [`HeaderMatch`](super::HeaderMatch).
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "documented where they end up, on `HeaderMatch`"
)]
pub struct HeaderSettings {
    pub name: Setting,
    pub value: Option<Setting>,
}

/// What was said about [`Limits`](super::Limits).
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "documented where they end up, on `Limits`")]
pub struct LimitSettings {
    pub request_buffer: Option<Setting>,
    pub response_buffer: Option<Setting>,
    pub vm_memory: Option<Setting>,
    pub callback_time: Option<Setting>,
    pub start_time: Option<Setting>,
    pub callouts: Option<Setting>,
    pub callout_response: Option<Setting>,
}

/// What was said about [`Timeouts`](super::Timeouts).
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "documented where they end up, on `Timeouts`")]
pub struct TimeoutSettings {
    pub header_read: Option<Setting>,
    pub connect: Option<Setting>,
    pub response: Option<Setting>,
    pub idle: Option<Setting>,
    pub drain_grace: Option<Setting>,
}

/// What was said about [`Restarts`](super::Restarts).
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "documented where they end up, on `Restarts`")]
pub struct RestartSettings {
    pub first_wait: Option<Setting>,
    pub longest_wait: Option<Setting>,
    pub healthy_after: Option<Setting>,
    pub failures: Option<Setting>,
}

/// What was said about one [`PluginConfig`](super::PluginConfig).
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "documented where they end up, on `PluginConfig`"
)]
pub struct PluginSettings {
    pub file: Setting,
    pub name: Option<Setting>,
    pub root_id: Option<Setting>,
    pub vm_id: Option<Setting>,
    pub configuration: Bytes,
    pub vm_configuration: Bytes,
    /// Names and values.
    pub environment: Vec<(String, Setting)>,
    pub failure_policy: Option<Setting>,
    pub recovery: Option<Setting>,
    pub on_headers_pause: Option<Setting>,
    pub service: Option<Setting>,
    pub allow_callouts: Option<Setting>,
}

impl PluginSettings {
    /// A plugin of which only the file was given.
    pub fn new(file: Setting) -> Self {
        Self {
            file,
            name: None,
            root_id: None,
            vm_id: None,
            configuration: Bytes::new(),
            vm_configuration: Bytes::new(),
            environment: Vec::new(),
            failure_policy: None,
            recovery: None,
            on_headers_pause: None,
            service: None,
            allow_callouts: None,
        }
    }
}

impl Settings {
    /// Replaces top-level values by those of `flags` where it has them, and clusters by those of the same name. An
    /// upstream takes the place of all routes. Limits, timeouts, restarts and plugins stay.
    #[must_use]
    pub fn overridden_by(self, flags: Self) -> Self {
        // `--cache-dir` turns on a cache that the file turned off; `--no-cache` needs no directory.
        let (cache, cache_dir) = match (flags.cache, flags.cache_dir) {
            (None, None) => (self.cache, self.cache_dir),
            given => given,
        };
        let routes = match &flags.upstream {
            Some(_) => Vec::new(),
            None => self.routes,
        };
        let replaced = |cluster: &ClusterSettings| {
            let mut names = flags.clusters.iter().map(|flag| &flag.name.text);
            names.any(|name| *name == cluster.name.text)
        };
        let mut clusters = self.clusters;
        clusters.retain(|cluster| !replaced(cluster));
        clusters.extend(flags.clusters);
        Self {
            listen: flags.listen.or(self.listen),
            admin: flags.admin.or(self.admin),
            workers: flags.workers.or(self.workers),
            upstream: flags.upstream.or(self.upstream),
            rewrite_host: flags.rewrite_host.or(self.rewrite_host),
            access_log: flags.access_log.or(self.access_log),
            log_level: flags.log_level.or(self.log_level),
            cache,
            cache_dir,
            limits: self.limits,
            timeouts: self.timeouts,
            restarts: self.restarts,
            clusters,
            routes,
            plugins: self.plugins,
        }
    }
}

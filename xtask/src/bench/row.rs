//! The rows of the table.

use std::fmt;

use clap::ValueEnum;

use super::budget::Budget;

/// A proxy, what it runs and what is requested of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Row {
    /// The bare hyper proxy of `benches/`
    Bare,
    /// nginx, if it is installed
    Nginx,
    /// proxy-wasi without plugins
    NoPlugin,
    /// A component that wants no callback
    NoInterest,
    /// A component that reads, adds and removes headers
    Wit,
    /// The same as a legacy module, through the shim
    Legacy,
    /// A legacy module of 1 MB that matches regular expressions
    LargeModule,
    /// The legacy header module with a line of log for each request
    LegacyLog,
    /// The legacy header module embedded directly in the bare proxy
    Direct,
    /// 1 MiB of response body without plugins
    LargeNoPlugin,
    /// 1 MiB past the header component
    LargeWit,
    /// 1 MiB past the legacy header module
    LargeLegacy,
    /// 1 MiB through a component that masks digits in each piece
    ThroughWit,
    /// 1 MiB through the same as a legacy module
    ThroughLegacy,
    /// proxy-wasi with two workers, without plugins
    TwoWorkers,
}

/// The program that serves a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// `bare-proxy`
    Bare,
    /// `reference-host` with a legacy module
    ReferenceHost(Guest),
    /// `nginx`
    Nginx,
    /// `proxy-wasi serve`
    ProxyWasi {
        /// The plugin, if any.
        plugin: Option<Guest>,
        /// `--workers`
        workers: usize,
        /// `--log-level`
        log_level: &'static str,
    },
}

/// A plugin that is built for the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// `examples/legacy-rust-headers`
    LegacyHeaders,
    /// `examples/wit-rust-headers`
    WitHeaders,
    /// `benches/guests/large-legacy`
    LargeLegacy,
    /// `benches/guests/reads-legacy`
    ReadsLegacy,
    /// `benches/guests/no-interest`
    NoInterest,
    /// `examples/legacy-rust-body`
    LegacyBody,
    /// `examples/wit-rust-body`
    WitBody,
}

impl Row {
    /// Returns `chosen` and what they are compared with, in the table's order; all rows if none is chosen.
    pub(super) fn with_baselines(chosen: &[Row]) -> Vec<Row> {
        let is_needed = |row: &Row| {
            chosen.is_empty()
                || chosen.iter().any(|chosen| {
                    std::iter::successors(Some(*chosen), |row| row.baseline())
                        .any(|needed| needed == *row)
                })
        };
        Self::value_variants()
            .iter()
            .copied()
            .filter(is_needed)
            .collect()
    }

    /// Returns the row that this one is compared with.
    pub(super) fn baseline(self) -> Option<Row> {
        match self {
            Row::Bare => None,
            Row::Nginx | Row::NoPlugin | Row::Direct => Some(Row::Bare),
            Row::NoInterest
            | Row::Wit
            | Row::Legacy
            | Row::LegacyLog
            | Row::LargeModule
            | Row::TwoWorkers => Some(Row::NoPlugin),
            Row::LargeNoPlugin => None,
            Row::LargeWit | Row::LargeLegacy | Row::ThroughWit | Row::ThroughLegacy => {
                Some(Row::LargeNoPlugin)
            }
        }
    }

    /// Returns what the row may cost.
    pub(super) fn budgets(self) -> &'static [Budget] {
        match self {
            Row::Bare
            | Row::Nginx
            | Row::LegacyLog
            | Row::Direct
            | Row::LargeNoPlugin
            | Row::ThroughWit
            | Row::ThroughLegacy => &[],
            Row::NoPlugin => &[Budget::Rate(0.95)],
            Row::NoInterest => &[Budget::Added(0.2)],
            Row::Wit => &[Budget::Added(1.5)],
            Row::Legacy => &[Budget::Added(2.2), Budget::Rate(0.82)],
            Row::LargeModule => &[Budget::Start(50.0)],
            Row::LargeWit => &[Budget::Cpu(1.02)],
            Row::LargeLegacy => &[Budget::Cpu(1.05)],
            Row::TwoWorkers => &[Budget::Rate(1.9)],
        }
    }

    /// Returns what serves the row.
    pub(super) fn server(self) -> Server {
        let proxy_wasi = |plugin| Server::ProxyWasi {
            plugin,
            workers: 1,
            log_level: "info",
        };
        match self {
            Row::Bare => Server::Bare,
            Row::Nginx => Server::Nginx,
            Row::Direct => Server::ReferenceHost(Guest::LegacyHeaders),
            Row::NoPlugin | Row::LargeNoPlugin => proxy_wasi(None),
            Row::NoInterest => proxy_wasi(Some(Guest::NoInterest)),
            Row::Wit | Row::LargeWit => proxy_wasi(Some(Guest::WitHeaders)),
            Row::Legacy | Row::LargeLegacy => proxy_wasi(Some(Guest::LegacyHeaders)),
            Row::LargeModule => proxy_wasi(Some(Guest::LargeLegacy)),
            Row::ThroughWit => proxy_wasi(Some(Guest::WitBody)),
            Row::ThroughLegacy => proxy_wasi(Some(Guest::LegacyBody)),
            Row::LegacyLog => Server::ProxyWasi {
                plugin: Some(Guest::LegacyHeaders),
                workers: 1,
                log_level: "debug",
            },
            Row::TwoWorkers => Server::ProxyWasi {
                plugin: None,
                workers: 2,
                log_level: "info",
            },
        }
    }

    /// Returns the path that is requested.
    pub(super) fn path(self) -> &'static str {
        match self {
            Row::LargeNoPlugin
            | Row::LargeWit
            | Row::LargeLegacy
            | Row::ThroughWit
            | Row::ThroughLegacy => "/large",
            Row::Bare
            | Row::Nginx
            | Row::NoPlugin
            | Row::NoInterest
            | Row::Wit
            | Row::Legacy
            | Row::LegacyLog
            | Row::LargeModule
            | Row::Direct
            | Row::TwoWorkers => "/",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Row::Bare => "bare hyper proxy",
            Row::Nginx => "nginx",
            Row::NoPlugin => "proxy-wasi, no plugin",
            Row::NoInterest => "plugin without interest",
            Row::Wit => "WIT header plugin",
            Row::Legacy => "legacy header plugin",
            Row::LargeModule => "legacy module of 1.3 MB",
            Row::LegacyLog => "legacy header plugin, logging",
            Row::Direct => "the same by func_wrap, bare proxy",
            Row::LargeNoPlugin => "1 MiB, no plugin",
            Row::LargeWit => "1 MiB, WIT header plugin",
            Row::LargeLegacy => "1 MiB, legacy header plugin",
            Row::ThroughWit => "1 MiB through a WIT body plugin",
            Row::ThroughLegacy => "1 MiB through a legacy body plugin",
            Row::TwoWorkers => "two workers, no plugin",
        })
    }
}

impl Server {
    /// Returns the plugin, if any.
    pub(super) fn guest(self) -> Option<Guest> {
        match self {
            Server::ReferenceHost(guest) => Some(guest),
            Server::ProxyWasi { plugin, .. } => plugin,
            Server::Bare | Server::Nginx => None,
        }
    }

    /// Returns how many threads serve requests.
    pub(super) fn workers(self) -> usize {
        match self {
            Server::ProxyWasi { workers, .. } => workers,
            Server::Bare | Server::ReferenceHost(_) | Server::Nginx => 1,
        }
    }
}

impl Guest {
    /// All plugins.
    pub(super) const ALL: [Guest; 7] = [
        Guest::LegacyHeaders,
        Guest::WitHeaders,
        Guest::LargeLegacy,
        Guest::ReadsLegacy,
        Guest::NoInterest,
        Guest::LegacyBody,
        Guest::WitBody,
    ];

    /// Returns the package.
    pub(super) fn package(self) -> &'static str {
        match self {
            Guest::LegacyHeaders => "legacy-rust-headers",
            Guest::WitHeaders => "wit-rust-headers",
            Guest::LargeLegacy => "bench-large-legacy",
            Guest::ReadsLegacy => "bench-reads-legacy",
            Guest::NoInterest => "bench-no-interest",
            Guest::LegacyBody => "legacy-rust-body",
            Guest::WitBody => "wit-rust-body",
        }
    }

    /// Returns the target that it is built for.
    pub(super) fn target(self) -> &'static str {
        match self {
            Guest::LegacyHeaders | Guest::LargeLegacy | Guest::ReadsLegacy | Guest::LegacyBody => {
                "wasm32-wasip1"
            }
            Guest::WitHeaders | Guest::NoInterest | Guest::WitBody => "wasm32-wasip2",
        }
    }

    /// Returns a response header field that shows that the plugin was at work.
    pub(super) fn expected_field(self) -> Option<&'static str> {
        match self {
            Guest::LegacyHeaders | Guest::WitHeaders | Guest::LargeLegacy => Some("x-plugin"),
            Guest::NoInterest | Guest::ReadsLegacy | Guest::LegacyBody | Guest::WitBody => None,
        }
    }

    /// Returns what it is configured with.
    pub(super) fn configuration(self) -> Option<&'static str> {
        match self {
            Guest::LegacyBody | Guest::WitBody => Some("mode=mask"),
            Guest::LegacyHeaders
            | Guest::WitHeaders
            | Guest::LargeLegacy
            | Guest::ReadsLegacy
            | Guest::NoInterest => None,
        }
    }
}

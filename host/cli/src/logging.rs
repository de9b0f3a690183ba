//! Where log lines go: standard error, so that standard output holds data only.

use std::io::{self, IsTerminal};

use proxy_wasi_runtime::config::LogLevel;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sets up the log of the process. Called once.
pub(crate) fn init(level: LogLevel) {
    let ours = match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Off => LevelFilter::OFF,
    };
    let filter = Targets::new()
        // Other crates' doings are of interest only when something is wrong.
        .with_default(ours.min(LevelFilter::WARN))
        .with_target("proxy_wasi", ours)
        .with_target(proxy_wasi_runtime::PLUGIN_LOG_TARGET, ours);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
}

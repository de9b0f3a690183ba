//! Log messages, which the host collects under the plugin's name.
//!
//! The macros format a message only if the host keeps its level; that costs no call to the host.

use std::fmt::Arguments;
use std::sync::atomic::{AtomicU8, Ordering};

pub use crate::bindings::wasi::logging::logging::Level;

use crate::bindings::proxy_wasm::plugin::log_level;
use crate::bindings::wasi::logging::logging;

/// Above every level: no message is kept.
const OFF: u8 = Level::Critical as u8 + 1;

/// The lowest level that the host keeps for any root context of this VM. Nothing has started at first.
static LOWEST_KEPT: AtomicU8 = AtomicU8::new(OFF);

/// Returns whether the host keeps messages of this level.
#[inline]
pub fn enabled(level: Level) -> bool {
    level as u8 >= LOWEST_KEPT.load(Ordering::Relaxed)
}

/// Logs a message, whatever its level. The macros [`trace!`](crate::trace) to [`critical!`](crate::critical) do so if
/// the level is enabled.
#[cold]
pub fn write(level: Level, message: Arguments<'_>) {
    match message.as_str() {
        Some(message) => logging::log(level, "", message),
        None => logging::log(level, "", &message.to_string()),
    }
}

/// Asks the host which levels it keeps now. Without this, what it said when the plugin started holds.
pub fn refresh() {
    LOWEST_KEPT.store(
        log_level::current().map_or(OFF, |level| level as u8),
        Ordering::Relaxed,
    );
}

/// Takes over what the host says for one root context; the host filters finer if roots differ.
pub(crate) fn start(lowest: Level) {
    LOWEST_KEPT.fetch_min(lowest as u8, Ordering::Relaxed);
}

/// Logs a message of a level given as [`Level`](crate::log::Level), formatted as by [`format!`].
#[macro_export]
macro_rules! log {
    ($level:expr, $($message:tt)+) => {{
        let level = $level;
        if $crate::log::enabled(level) {
            $crate::log::write(level, ::core::format_args!($($message)+));
        }
    }};
}

/// Logs the plugin's inner workings, formatted as by [`format!`].
#[macro_export]
macro_rules! trace {
    ($($message:tt)+) => { $crate::log!($crate::log::Level::Trace, $($message)+) };
}

/// Logs what happens to each request, formatted as by [`format!`].
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log!($crate::log::Level::Debug, $($message)+) };
}

/// Logs a change of state, formatted as by [`format!`].
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log!($crate::log::Level::Info, $($message)+) };
}

/// Logs trouble that the plugin has got over, formatted as by [`format!`].
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log!($crate::log::Level::Warn, $($message)+) };
}

/// Logs trouble that someone must look after, formatted as by [`format!`].
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::log!($crate::log::Level::Error, $($message)+) };
}

/// Logs that the plugin cannot go on, formatted as by [`format!`].
#[macro_export]
macro_rules! critical {
    ($($message:tt)+) => { $crate::log!($crate::log::Level::Critical, $($message)+) };
}

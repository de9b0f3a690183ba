//! Messages to the host's log.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use proxy_wasi_abi::LogLevel;

use crate::bindings::proxy_wasm::plugin::log_level;
use crate::bindings::wasi::logging::logging::{self, Level};

/// The context of messages from the shim itself. Those from plugins have none.
const SHIM: &str = "shim";

thread_local! {
    /// The number of the lowest level that the host keeps, 6 if it keeps none: asking for each message would cost as
    /// much as sending it.
    static LOWEST: Cell<u32> = const { Cell::new(0) };
    /// What `once` has said.
    static SAID: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Remembers the lowest level that the host keeps.
pub(crate) fn set_lowest(level: Level) {
    LOWEST.set(level as u32);
}

/// Asks the host for the lowest level that it keeps, 6 for none, and remembers it.
pub(crate) fn ask_lowest() -> u32 {
    let lowest = log_level::current().map_or(6, |level| level as u32);
    LOWEST.set(lowest);
    lowest
}

/// Whether the host keeps messages of this level.
#[inline]
pub(crate) fn keeps(level: LogLevel) -> bool {
    u32::from(level) >= LOWEST.get()
}

/// Logs bytes for the plugin, if the host keeps the level. `stream` is where the plugin wrote them: empty, `stdout` or
/// `stderr`.
pub(crate) fn plugin(level: LogLevel, stream: &str, message: &[u8]) {
    if keeps(level) {
        logging::log(level_of(level), stream, &text(message));
    }
}

/// Logs a message of the shim's own.
pub(crate) fn shim(level: LogLevel, message: &str) {
    if keeps(level) {
        logging::log(level_of(level), SHIM, message);
    }
}

/// Whether `what` is said for the first time.
fn is_first(what: &'static str) -> bool {
    SAID.with_borrow_mut(|said| {
        let first = !said.contains(&what);
        if first {
            said.push(what);
        }
        first
    })
}

/// Says why a callout was refused, once for each `reason`.
pub(crate) fn refused_callout(reason: &'static str) {
    if is_first(reason) {
        shim(LogLevel::Warn, &["callout refused: ", reason].concat());
    }
}

/// Warns that a hostcall is not available, once for each `name`.
pub(crate) fn unimplemented(name: &'static str) {
    if is_first(name) {
        shim(
            LogLevel::Warn,
            &[
                "`",
                name,
                "` is not available here: it answers `unimplemented` (12)",
            ]
            .concat(),
        );
    }
}

/// Ends the VM: its state is beyond use.
pub(crate) fn abandon(message: &str) -> ! {
    logging::log(Level::Critical, SHIM, message);
    trap()
}

/// Traps without a message.
#[cfg(target_arch = "wasm32")]
pub(crate) fn trap() -> ! {
    std::arch::wasm32::unreachable()
}

/// Panics, natively.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn trap() -> ! {
    unreachable!("a trap")
}

/// Bytes as text for the log. What is not UTF-8 is replaced.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn level_of(level: LogLevel) -> Level {
    match level {
        LogLevel::Trace => Level::Trace,
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
        LogLevel::Critical => Level::Critical,
    }
}

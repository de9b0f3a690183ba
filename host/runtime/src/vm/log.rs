//! Plugin log lines: who says it, on whose behalf.

mod budget;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{debug, error, info, trace, warn};

pub(crate) use self::budget::{Admission, LogBudget};
use super::bindings::wasi::logging::logging::Level;
use super::state::Current;
use crate::PLUGIN_LOG_TARGET;

/// Bytes of one line that are kept: enough for a stack trace, too little to fill a disk with one call.
pub(super) const MAX_LINE: usize = 16 * 1024;
/// Bytes that a plugin may print in one callback.
const MAX_OUTPUT: usize = 16 * MAX_LINE;

/// Logs a plugin's message under [`PLUGIN_LOG_TARGET`].
pub(crate) fn emit(
    level: Level,
    plugin: &str,
    current: Current,
    request_id: Option<&str>,
    message: &str,
) {
    let message = printable(message);
    let context = current.stream.unwrap_or(current.root);
    let request_id = request_id.unwrap_or("-");
    macro_rules! line {
        ($macro:ident) => { $macro!(target: PLUGIN_LOG_TARGET, plugin, context, request_id, "{message}") };
    }
    match level {
        Level::Trace => line!(trace),
        Level::Debug => line!(debug),
        Level::Info => line!(info),
        Level::Warn => line!(warn),
        Level::Error => line!(error),
        Level::Critical => {
            error!(target: PLUGIN_LOG_TARGET, plugin, context, request_id, critical = true, "{message}");
        }
    }
}

/// The message on one line, without control characters that could forge lines or drive a terminal.
fn printable(message: &str) -> std::borrow::Cow<'_, str> {
    let message = match message.char_indices().find(|(at, _)| *at >= MAX_LINE) {
        Some((at, _)) => message.get(..at).unwrap_or(message),
        None => message,
    };
    if !message.contains(|c: char| c.is_control() && c != '\t') {
        return message.into();
    }
    let mut safe = String::with_capacity(message.len() + 16);
    for c in message.chars() {
        if c.is_control() && c != '\t' {
            safe.extend(c.escape_default())
        } else {
            safe.push(c)
        }
    }
    safe.into()
}

/// What a plugin prints: bytes, which become a line when the callback ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct PluginOutput(Arc<Printed>);

#[derive(Debug, Default)]
struct Printed {
    /// Whether there is anything in `bytes`: asked after every callback, so it must cost nothing.
    any: AtomicBool,
    bytes: Mutex<Vec<u8>>,
}

impl PluginOutput {
    /// Takes printed bytes in.
    pub(crate) fn write(&self, bytes: &[u8]) {
        let mut pending = self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        // A plugin that prints without end in one callback fills no memory: what is beyond the limit is lost.
        let room = MAX_OUTPUT.saturating_sub(pending.len());
        pending.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.0.any.store(!pending.is_empty(), Ordering::Relaxed);
    }

    /// Whether anything was printed that has not been taken.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.0.any.load(Ordering::Relaxed)
    }

    /// Takes everything printed, line by line.
    pub(crate) fn take_lines(&self) -> Vec<String> {
        let mut pending = self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.any.store(false, Ordering::Relaxed);
        let bytes = std::mem::take(&mut *pending);
        String::from_utf8_lossy(&bytes)
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

//! The way back from a foreign function to the plugin that has called it (ABI 1.4, `proxy_on_foreign_function`).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Calls that may wait for one root context: a plugin that asks for one with each request has so many requests open.
const MAX_WAITING: usize = 1024;

/// Bytes of input that they may take together.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// The plugin that has called a foreign function: its root context in the VM of the worker that the call came from.
///
/// Clones are the same caller. A function may keep one and call back later, from any thread.
#[derive(Clone)]
pub struct ForeignCaller {
    plugin: Arc<str>,
    calls: Sender<Call>,
    waiting: Arc<AtomicUsize>,
}

/// Why a plugin was not called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallBackError {
    /// The plugin was stopped, or its VM has failed. One that was built in its place is another caller.
    #[error("the plugin's VM is gone")]
    Gone,
    /// 1,024 calls, or 16 MiB of their input, wait for the plugin already.
    #[error("too many calls wait for the plugin; call again when it has answered some")]
    Full,
}

struct Call {
    function_id: u32,
    input: Vec<u8>,
}

/// The calls that wait for a root context.
pub(crate) struct ForeignCalls {
    calls: Receiver<Call>,
    waiting: Arc<AtomicUsize>,
}

impl ForeignCaller {
    /// A caller, and what hears of its calls.
    pub(crate) fn new(plugin: &str) -> (Self, ForeignCalls) {
        let (sender, receiver) = channel(MAX_WAITING);
        let waiting = Arc::<AtomicUsize>::default();
        let calls = ForeignCalls {
            calls: receiver,
            waiting: Arc::clone(&waiting),
        };
        let caller = Self {
            plugin: plugin.into(),
            calls: sender,
            waiting,
        };
        (caller, calls)
    }

    /// The plugin's configured name.
    #[must_use]
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// Has the plugin's `proxy_on_foreign_function` (components: `foreign-function-handler.on-call`) called, with this
    /// number and input. What the numbers mean is between the function and its plugins.
    ///
    /// The call waits until the callback that runs has returned, so that it never comes inside of the plugin's own
    /// call. Several come in order, each in the plugin's root context; from there a plugin reaches the streams that it
    /// remembers. A plugin that does not export the callback hears nothing, and neither does a module of ABI 0.1.0.
    ///
    /// # Errors
    ///
    /// See [`CallBackError`]. An accepted call is still not made if the plugin ends before its turn.
    pub fn call_back(
        &self,
        function_id: u32,
        input: impl Into<Vec<u8>>,
    ) -> Result<(), CallBackError> {
        let input = input.into();
        let size = input.len();
        let others = self.waiting.fetch_add(size, Ordering::Relaxed);
        let sent = if others.saturating_add(size) > MAX_WAITING_BYTES {
            Err(CallBackError::Full)
        } else {
            let call = Call { function_id, input };
            self.calls.try_send(call).map_err(|error| match error {
                TrySendError::Full(_) => CallBackError::Full,
                TrySendError::Closed(_) => CallBackError::Gone,
            })
        };
        if sent.is_err() {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
        }
        sent
    }
}

impl ForeignCalls {
    /// Waits for the next call: the function's number and its input.
    pub(crate) async fn next(&mut self) -> Option<(u32, Vec<u8>)> {
        let Call { function_id, input } = self.calls.recv().await?;
        self.waiting.fetch_sub(input.len(), Ordering::Relaxed);
        Some((function_id, input))
    }
}

impl fmt::Debug for ForeignCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignCaller")
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(calls: &mut ForeignCalls) -> Option<(u32, Vec<u8>)> {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(calls.next())
    }

    #[test]
    fn calls_come_in_order_until_nobody_can_make_one() {
        let (caller, mut calls) = ForeignCaller::new("mine");
        assert_eq!(caller.plugin(), "mine");
        caller.call_back(1, b"one").unwrap();
        caller.clone().call_back(2, b"").unwrap();
        drop(caller);
        assert_eq!(next(&mut calls), Some((1, b"one".to_vec())));
        assert_eq!(next(&mut calls), Some((2, Vec::new())));
        assert_eq!(next(&mut calls), None);
    }

    #[test]
    fn the_number_is_bounded() {
        let (caller, mut calls) = ForeignCaller::new("");
        for _ in 0..MAX_WAITING {
            caller.call_back(0, b"").unwrap();
        }
        assert_eq!(caller.call_back(0, b""), Err(CallBackError::Full));
        next(&mut calls);
        assert_eq!(caller.call_back(0, b""), Ok(()));
    }

    #[test]
    fn the_bytes_are_bounded() {
        let (caller, mut calls) = ForeignCaller::new("");
        caller.call_back(0, vec![0; MAX_WAITING_BYTES]).unwrap();
        assert_eq!(caller.call_back(0, b"x"), Err(CallBackError::Full));
        assert_eq!(caller.call_back(0, b""), Ok(()));
        next(&mut calls);
        assert_eq!(caller.call_back(0, b"x"), Ok(()));
    }

    #[test]
    fn nobody_is_called_who_is_gone() {
        let (caller, calls) = ForeignCaller::new("");
        drop(calls);
        assert_eq!(caller.call_back(0, b"x"), Err(CallBackError::Gone));
    }
}

//! Ends the process when its stop does not come to an end, or is asked for again.

use std::convert::Infallible;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::signals::{Event, Signals};

/// For the line that says why, should whoever reads the log have stopped to.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A stop that is watched. Once this is dropped it may take as long as it likes.
pub(super) struct Watchdog {
    _running: oneshot::Sender<Infallible>,
}

impl Watchdog {
    /// Ends the process with exit code 1 after `limit`, or at the next signal, whatever is still open then.
    ///
    /// Workers cannot be ended otherwise: one that runs a callback sees nothing until that returns.
    pub(super) fn start(mut signals: Signals, limit: Duration) -> Self {
        let (running, over) = oneshot::channel::<Infallible>();
        let watch = move || {
            let too_long = async {
                tokio::select! {
                    // Only an error can come: the stop is over, and there is nothing to limit any more.
                    _ = over => std::future::pending().await,
                    () = tokio::time::sleep(limit) => {}
                }
            };
            match signals.wait_or(too_long) {
                Event::Signal(signal) => end_saying(move || {
                    tracing::warn!(signal, "stopped at once: open requests are cut off");
                }),
                Event::Other(()) => end_saying(move || {
                    tracing::error!(
                        after = %humantime::format_duration(limit),
                        "stopped at once: something did not come to an end, such as a callback of a plugin, or the \
                         reader of the log; requests are cut off"
                    );
                }),
            }
        };
        // Without the thread the stop is not limited, but goes on.
        drop(thread::Builder::new().name("stop".to_owned()).spawn(watch));
        Self { _running: running }
    }
}

/// Ends the process once the line is written, which must not take long.
fn end_saying(say: impl FnOnce() + Send + 'static) {
    let (said, wait) = mpsc::channel::<Infallible>();
    let line = move || {
        say();
        drop(said);
    };
    if thread::Builder::new().spawn(line).is_ok() {
        // Nothing is ever sent: it ends with the thread's work, or with patience.
        let _ = wait.recv_timeout(LAST_WORDS);
    }
    #[expect(clippy::exit, reason = "that is what it is for")]
    std::process::exit(1);
}

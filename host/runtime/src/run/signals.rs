//! The signals that ask the process to stop.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Runtime};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals since this was made: none is lost between two waits.
pub(super) struct Signals {
    runtime: Runtime,
    sources: Sources,
}

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<T> {
    /// A signal, by its name.
    Signal(&'static str),
    /// What else was waited for.
    Other(T),
}

struct Sources {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    /// Begins to listen: from now on these signals do not end the process by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let context = runtime.enter();
        let sources = Sources {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(windows)]
            interrupt: tokio::signal::windows::ctrl_c()?,
        };
        drop(context);
        Ok(Self { runtime, sources })
    }

    /// Waits for a signal or for something else, whichever comes first.
    pub(super) fn wait_or<T>(&mut self, other: impl Future<Output = T>) -> Event<T> {
        let sources = &mut self.sources;
        self.runtime.block_on(async {
            tokio::select! {
                signal = sources.next() => Event::Signal(signal),
                other = other => Event::Other(other),
            }
        })
    }
}

impl Sources {
    #[cfg(unix)]
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    #[cfg(windows)]
    async fn next(&mut self) -> &'static str {
        self.interrupt.recv().await;
        "Ctrl-C"
    }
}

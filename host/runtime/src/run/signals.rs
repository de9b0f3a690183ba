//! The signals that ask the process to stop.

use std::io;

use tokio::runtime::{Builder, Runtime};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals since this was made: none is lost between two waits.
pub(super) struct Signals {
    runtime: Runtime,
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
        #[cfg(unix)]
        let (terminate, interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        #[cfg(windows)]
        let interrupt = tokio::signal::windows::ctrl_c()?;
        drop(context);
        Ok(Self {
            runtime,
            #[cfg(unix)]
            terminate,
            interrupt,
        })
    }

    /// Waits for a signal and returns its name.
    #[cfg(unix)]
    pub(super) fn wait(&mut self) -> &'static str {
        let (terminate, interrupt) = (&mut self.terminate, &mut self.interrupt);
        self.runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        })
    }

    /// Waits for a signal and returns its name.
    #[cfg(windows)]
    pub(super) fn wait(&mut self) -> &'static str {
        let interrupt = &mut self.interrupt;
        self.runtime.block_on(async {
            interrupt.recv().await;
            "Ctrl-C"
        })
    }
}

//! The signals that ask the proxy to stop.

use std::io;

use tokio::runtime::Runtime;

/// Signals that are caught from the moment this is made, so that none that comes after ends the process as it is.
pub(super) struct Signals {
    runtime: Runtime,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let _guard = runtime.enter();
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                runtime,
            })
        }
        #[cfg(windows)]
        Ok(Self {
            interrupt: tokio::signal::windows::ctrl_c()?,
            runtime,
        })
    }

    /// Waits for the next signal, and says which it was.
    pub(super) fn wait(&mut self) -> &'static str {
        #[cfg(unix)]
        {
            let (terminate, interrupt) = (&mut self.terminate, &mut self.interrupt);
            self.runtime.block_on(async {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            })
        }
        #[cfg(windows)]
        {
            let interrupt = &mut self.interrupt;
            self.runtime.block_on(interrupt.recv());
            "Ctrl-C"
        }
    }
}

//! The threads of all workers, and what becomes of them.

use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::RunError;
use super::worker::WorkerSetup;

/// Workers that were started, in their order.
pub(super) struct Workers {
    all: Vec<Worker>,
    sender: UnboundedSender<String>,
    ended: UnboundedReceiver<String>,
}

struct Worker {
    name: String,
    thread: JoinHandle<Result<(), RunError>>,
    /// Until it has told.
    started: Option<Receiver<Result<(), RunError>>>,
}

/// Tells that a worker has ended when it is dropped: also when it panics.
pub(super) struct EndNotice {
    name: String,
    sender: UnboundedSender<String>,
}

impl Drop for EndNotice {
    fn drop(&mut self) {
        // Nobody listens any more when all of them are to end.
        let _ = self.sender.send(std::mem::take(&mut self.name));
    }
}

impl Workers {
    pub(super) fn new() -> Self {
        let (sender, ended) = unbounded_channel();
        Self {
            all: Vec::new(),
            sender,
            ended,
        }
    }

    /// Starts another worker.
    pub(super) fn spawn(&mut self, setup: WorkerSetup) -> Result<(), RunError> {
        let (sender, started) = channel();
        self.spawn_with(|end| move || setup.run(&sender, end))?;
        if let Some(worker) = self.all.last_mut() {
            worker.started = Some(started);
        }
        Ok(())
    }

    fn spawn_with<F>(&mut self, work: impl FnOnce(EndNotice) -> F) -> Result<(), RunError>
    where
        F: FnOnce() -> Result<(), RunError> + Send + 'static,
    {
        let name = format!("worker-{}", self.all.len());
        let end = EndNotice {
            name: name.clone(),
            sender: self.sender.clone(),
        };
        let thread = thread::Builder::new()
            .name(name.clone())
            .spawn(work(end))
            .map_err(RunError::Worker)?;
        self.all.push(Worker {
            name,
            thread,
            started: None,
        });
        Ok(())
    }

    /// Waits until all that were spawned have started their plugins.
    pub(super) fn wait_for_start(&mut self) -> Result<(), RunError> {
        for worker in &mut self.all {
            if let Some(started) = worker.started.take() {
                // A worker always tells, unless it panics.
                let panicked = |_| Err(RunError::Panicked(worker.name.clone()));
                started.recv().unwrap_or_else(panicked)?;
            }
        }
        Ok(())
    }

    /// Waits for the first worker that ends by itself, and returns its name.
    pub(super) async fn first_to_end(&mut self) -> String {
        // There is always a sender: this one's.
        self.ended.recv().await.unwrap_or_default()
    }

    /// Waits for the end of all, and returns the first error.
    pub(super) fn join(self) -> Result<(), RunError> {
        let mut result = Ok(());
        for worker in self.all {
            let ended = worker
                .thread
                .join()
                .unwrap_or(Err(RunError::Panicked(worker.name)));
            result = result.and(ended);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::signals::{Event, Signals};
    use super::*;

    /// Two workers, of which one ends as it is told to while the other serves on.
    fn one_ends(how: impl FnOnce() -> Result<(), RunError> + Send + 'static) -> RunError {
        let mut workers = Workers::new();
        let (drain, served) = channel::<()>();
        let serve = move || {
            let _ = served.recv();
            Ok(())
        };
        workers
            .spawn_with(|end| {
                move || {
                    let _end = end;
                    serve()
                }
            })
            .unwrap();
        workers
            .spawn_with(|end| {
                move || {
                    let _end = end;
                    how()
                }
            })
            .unwrap();
        let event = Signals::listen().unwrap().wait_or(workers.first_to_end());
        assert_eq!(event, Event::Other("worker-1".to_owned()));
        drop(drain);
        workers.join().unwrap_err()
    }

    #[test]
    fn a_worker_that_panics_ends_the_wait() {
        let error = one_ends(|| panic!("on purpose"));
        assert!(
            matches!(&error, RunError::Panicked(worker) if worker == "worker-1"),
            "{error:?}"
        );
    }

    #[test]
    fn a_worker_that_fails_ends_the_wait() {
        let error = one_ends(|| Err(RunError::Worker(io::Error::other("on purpose"))));
        assert!(matches!(error, RunError::Worker(_)), "{error:?}");
    }
}

//! Tells all workers to stop.

use tokio::sync::watch;

/// Starts draining, see [`drain`]. Draining also starts when it is dropped.
#[derive(Debug)]
pub struct DrainTrigger(watch::Sender<bool>);

/// Waits for draining to start. Each worker has a clone.
#[derive(Debug, Clone)]
pub struct DrainSignal(watch::Receiver<bool>);

/// Creates a connected pair: what stops servers, and what servers watch.
#[must_use]
pub fn drain() -> (DrainTrigger, DrainSignal) {
    let (sender, receiver) = watch::channel(false);
    (DrainTrigger(sender), DrainSignal(receiver))
}

impl DrainTrigger {
    /// Starts draining. A second call changes nothing.
    pub fn start(&self) {
        self.0.send_replace(true);
    }
}

impl DrainSignal {
    /// Waits until draining starts. Dropping the future loses nothing.
    pub async fn started(&mut self) {
        // An error means that the trigger is gone, which starts draining as well.
        let _ = self.0.wait_for(|started| *started).await;
    }

    /// True once draining has started.
    #[must_use]
    pub fn has_started(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn starts_once_for_all() {
        let (trigger, mut first) = drain();
        let mut second = first.clone();
        assert!(!first.has_started());
        trigger.start();
        first.started().await;
        second.started().await;
        second.started().await;
        assert!(second.has_started());
    }

    #[tokio::test]
    async fn starts_when_nobody_can_start_it() {
        let (trigger, mut signal) = drain();
        drop(trigger);
        signal.started().await;
        assert!(signal.has_started());
    }
}

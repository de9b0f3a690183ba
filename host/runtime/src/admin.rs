//! The admin endpoint: an address of its own where the proxy says how it is.
//!
//! | Path | Answers |
//! |---|---|
//! | `/` | what there is |
//! | `/metrics` | everything that is counted, in Prometheus' text format |
//! | `/ready` | 200 while requests are taken, else 503: before the start is over, and once the proxy was asked to stop |
//!
//! It only reads: nothing can be changed through it, and there are no other methods than GET and HEAD. It runs on a
//! thread of its own, so that answering costs the workers nothing. Who can reach the address can read it all: keep it on
//! the loopback or a network of its own.

mod respond;
mod serve;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::metrics::HostMetrics;
use crate::state::State;

pub use self::serve::{AdminServer, CONNECTION_TIMEOUT, MAX_CONNECTIONS, MAX_HEAD_BYTES};

/// What the admin endpoint can tell of.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The proxy's own counters.
    pub metrics: Arc<HostMetrics>,
    /// What plugins share; their metrics are in it.
    pub state: State,
    /// Whether requests are taken.
    pub readiness: Arc<Readiness>,
}

/// How far the proxy is.
#[derive(Debug, Default)]
pub struct Readiness(AtomicU8);

/// What `/ready` answers by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Plugins start.
    Starting,
    /// Requests are taken.
    Ready,
    /// Requests that have begun are finished.
    Draining,
}

impl Readiness {
    /// Moves to a phase.
    pub fn set(&self, phase: Phase) {
        let number = match phase {
            Phase::Starting => 0,
            Phase::Ready => 1,
            Phase::Draining => 2,
        };
        self.0.store(number, Ordering::Release);
    }

    /// Returns the present phase.
    pub fn get(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }
}

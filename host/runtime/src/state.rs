//! What plugins of all workers share, behind traits: each has an in-memory default and one suite of tests that every
//! other implementation must pass too.
//!
//! Hostcalls are synchronous, so every implementation answers from memory; one that reaches other processes replicates
//! behind it. Nothing here knows of streams.

pub mod metrics;

use std::sync::Arc;

use self::metrics::{MemoryMetrics, MetricStore};

/// The shared state of one proxy. Clones are the same state.
#[derive(Clone, Debug)]
pub struct State {
    /// The metrics that plugins define.
    pub metrics: Arc<dyn MetricStore>,
}

impl Default for State {
    /// Everything in this process's memory.
    fn default() -> Self {
        Self {
            metrics: Arc::new(MemoryMetrics::default()),
        }
    }
}

//! What plugins of all workers share, behind traits: each has an in-memory default and one suite of tests that every
//! other implementation must pass too.
//!
//! Hostcalls are synchronous, so every implementation answers from memory; one that reaches other processes replicates
//! behind it. Nothing here knows of streams.

pub mod metrics;
pub mod shared_data;
pub mod shared_queue;

use std::sync::Arc;

use self::metrics::{MemoryMetrics, MetricStore};
use self::shared_data::{MemorySharedData, SharedDataStore};
use self::shared_queue::{MemorySharedQueues, SharedQueueStore};

/// The shared state of one proxy. Clones are the same state.
#[derive(Clone, Debug)]
pub struct State {
    /// The metrics that plugins define.
    pub metrics: Arc<dyn MetricStore>,
    /// Values by key, for each `vm_id`.
    pub shared_data: Arc<dyn SharedDataStore>,
    /// Queues by name, for each `vm_id`.
    pub shared_queues: Arc<dyn SharedQueueStore>,
}

impl Default for State {
    /// Everything in this process's memory.
    fn default() -> Self {
        Self {
            metrics: Arc::new(MemoryMetrics::default()),
            shared_data: Arc::new(MemorySharedData::default()),
            shared_queues: Arc::new(MemorySharedQueues::default()),
        }
    }
}

//! Metrics that plugins define (ABI 9.1): counters, gauges and histograms, one series for each name and type.
//!
//! Whoever defines a name again, in whichever VM or worker, reaches the same series; values outlive VMs. The same name
//! with another type is another series. Defining looks a name up; adding and setting touch only the series itself.

mod histogram;
mod memory;

#[cfg(test)]
pub(crate) mod contract;

use std::fmt::Debug;
use std::sync::Arc;

pub use self::histogram::{HistogramSnapshot, SharedHistogram};
pub use self::memory::MemoryMetrics;

/// Series of all plugins together. A plugin that puts what clients send into names must not fill the machine: with this
/// many, a scrape is still some megabytes.
pub const MAX_SERIES: usize = 10_000;

/// Bytes of one name. Istio's names carry twenty labels, and get to some hundred bytes.
pub const MAX_NAME_BYTES: usize = 1024;

/// Bytes of all names together, as each is in a scrape more than once: 100 for each of [`MAX_SERIES`].
pub const MAX_ALL_NAMES_BYTES: usize = 1024 * 1024;

/// Upper bounds of histograms' buckets: Envoy's defaults, made for milliseconds.
pub const BUCKETS: &[f64] = &[
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    2_500.0,
    5_000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
];

/// A number that only grows. Beyond `u64::MAX` it begins again at 0, which readers of counters take for a restart.
pub trait Counter: Debug + Send + Sync {
    /// Adds to it.
    fn add(&self, amount: u64);
    /// Returns its value, over all workers.
    fn value(&self) -> u64;
}

/// A number that goes up and down. It stays at 0, or at `u64::MAX`, when it would go beyond.
pub trait Gauge: Debug + Send + Sync {
    /// Adds to it.
    fn add(&self, amount: u64);
    /// Takes from it.
    fn subtract(&self, amount: u64);
    /// Sets it.
    fn set(&self, value: u64);
    /// Returns its value, over all workers.
    fn value(&self) -> u64;
}

/// A distribution of samples over [`BUCKETS`].
pub trait Histogram: Debug + Send + Sync {
    /// Records a sample.
    fn observe(&self, sample: u64);
}

/// Why a metric could not be defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefineError {
    /// The name is empty or longer than [`MAX_NAME_BYTES`].
    #[error("the name of a metric has 1 to {MAX_NAME_BYTES} bytes")]
    InvalidName,
    /// There are [`MAX_SERIES`], or their names take [`MAX_ALL_NAMES_BYTES`].
    #[error(
        "there are too many metrics: at most {MAX_SERIES}, with {MAX_ALL_NAMES_BYTES} bytes of names"
    )]
    LimitReached,
}

/// A series at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSnapshot {
    /// As the plugin gave it.
    pub name: Arc<str>,
    /// Its type and value.
    pub value: MetricValue,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricValue {
    /// Of a counter.
    Counter(u64),
    /// Of a gauge.
    Gauge(u64),
    /// Of a histogram.
    Histogram(HistogramSnapshot),
}

/// The series of a proxy.
pub trait MetricStore: Debug + Send + Sync {
    /// Defines a counter, or finds it.
    ///
    /// # Errors
    ///
    /// See [`DefineError`]. A series that exists is always found.
    fn counter(&self, name: &str) -> Result<Arc<dyn Counter>, DefineError>;

    /// Defines a gauge, or finds it.
    ///
    /// # Errors
    ///
    /// See [`DefineError`]. A series that exists is always found.
    fn gauge(&self, name: &str) -> Result<Arc<dyn Gauge>, DefineError>;

    /// Defines a histogram, or finds it.
    ///
    /// # Errors
    ///
    /// See [`DefineError`]. A series that exists is always found.
    fn histogram(&self, name: &str) -> Result<Arc<dyn Histogram>, DefineError>;

    /// Returns all series: counters, gauges, then histograms, each ordered by name.
    fn snapshot(&self) -> Vec<MetricSnapshot>;
}

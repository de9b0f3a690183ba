//! Metrics of a plugin's own, shared by all workers. Defining a name again reaches the same series.

use crate::bindings::proxy_wasm::plugin::metrics::{self, MetricError};
use crate::error::Refused;

/// A number that only grows.
#[derive(Debug)]
pub struct Counter(metrics::Counter);

impl Counter {
    /// Defines a counter.
    ///
    /// # Errors
    ///
    /// The name is empty or too long, the host's limit on series is reached, or it keeps no metrics.
    pub fn define(name: &str) -> Result<Self, Refused<MetricError>> {
        metrics::Counter::define(name)
            .map(Self)
            .map_err(|reason| refused(name, reason))
    }

    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.add(amount);
    }

    /// Returns its value, over all workers.
    pub fn value(&self) -> u64 {
        self.0.value()
    }
}

/// A number that goes up and down; it does not fall below 0.
#[derive(Debug)]
pub struct Gauge(metrics::Gauge);

impl Gauge {
    /// Defines a gauge.
    ///
    /// # Errors
    ///
    /// See [`Counter::define`].
    pub fn define(name: &str) -> Result<Self, Refused<MetricError>> {
        metrics::Gauge::define(name)
            .map(Self)
            .map_err(|reason| refused(name, reason))
    }

    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.add(amount);
    }

    /// Takes from it.
    pub fn subtract(&self, amount: u64) {
        self.0.subtract(amount);
    }

    /// Sets it.
    pub fn set(&self, value: u64) {
        self.0.set(value);
    }

    /// Returns its value, over all workers.
    pub fn value(&self) -> u64 {
        self.0.value()
    }
}

/// A distribution of samples.
#[derive(Debug)]
pub struct Histogram(metrics::Histogram);

impl Histogram {
    /// Defines a histogram.
    ///
    /// # Errors
    ///
    /// See [`Counter::define`].
    pub fn define(name: &str) -> Result<Self, Refused<MetricError>> {
        metrics::Histogram::define(name)
            .map(Self)
            .map_err(|reason| refused(name, reason))
    }

    /// Records a sample.
    pub fn observe(&self, sample: u64) {
        self.0.observe(sample);
    }
}

#[cold]
fn refused(name: &str, reason: MetricError) -> Refused<MetricError> {
    Refused::new(format_args!("metric `{name}`"), reason)
}

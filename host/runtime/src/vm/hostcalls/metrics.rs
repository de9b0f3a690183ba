//! `metrics`: handles of series that all workers share.

use wasmtime::component::Resource;

use crate::state::metrics::DefineError;
use crate::vm::bindings::proxy_wasm::plugin::metrics::{
    self, Counter, Gauge, Histogram, MetricError,
};
use crate::vm::state::VmState;

impl metrics::Host for VmState {}

impl VmState {
    /// Says, once, why a metric is refused: many SDKs panic without the reason.
    #[cold]
    fn refuse_metric(&mut self, name: &str, error: DefineError) -> MetricError {
        self.report_once("metrics", || {
            let shown: String = name.chars().take(80).collect();
            format!("metric `{shown}` was not defined: {error}")
        });
        match error {
            DefineError::InvalidName => MetricError::InvalidName,
            DefineError::LimitReached => MetricError::LimitReached,
        }
    }
}

// The engine checks handles: each call here has one that was given and not dropped.

impl metrics::HostCounter for VmState {
    fn define(&mut self, name: String) -> Result<Resource<Counter>, MetricError> {
        self.metrics
            .define_counter(&name)
            .map(Resource::new_own)
            .map_err(|error| self.refuse_metric(&name, error))
    }

    fn add(&mut self, counter: Resource<Counter>, amount: u64) {
        if let Some(counter) = self.metrics.counter(counter.rep()) {
            counter.add(amount);
        }
    }

    fn value(&mut self, counter: Resource<Counter>) -> u64 {
        self.metrics
            .counter(counter.rep())
            .map_or(0, |counter| counter.value())
    }

    fn drop(&mut self, counter: Resource<Counter>) -> wasmtime::Result<()> {
        self.metrics.drop_handle(counter.rep());
        Ok(())
    }
}

impl metrics::HostGauge for VmState {
    fn define(&mut self, name: String) -> Result<Resource<Gauge>, MetricError> {
        self.metrics
            .define_gauge(&name)
            .map(Resource::new_own)
            .map_err(|error| self.refuse_metric(&name, error))
    }

    fn add(&mut self, gauge: Resource<Gauge>, amount: u64) {
        if let Some(gauge) = self.metrics.gauge(gauge.rep()) {
            gauge.add(amount);
        }
    }

    fn subtract(&mut self, gauge: Resource<Gauge>, amount: u64) {
        if let Some(gauge) = self.metrics.gauge(gauge.rep()) {
            gauge.subtract(amount);
        }
    }

    fn set(&mut self, gauge: Resource<Gauge>, value: u64) {
        if let Some(gauge) = self.metrics.gauge(gauge.rep()) {
            gauge.set(value);
        }
    }

    fn value(&mut self, gauge: Resource<Gauge>) -> u64 {
        self.metrics
            .gauge(gauge.rep())
            .map_or(0, |gauge| gauge.value())
    }

    fn drop(&mut self, gauge: Resource<Gauge>) -> wasmtime::Result<()> {
        self.metrics.drop_handle(gauge.rep());
        Ok(())
    }
}

impl metrics::HostHistogram for VmState {
    fn define(&mut self, name: String) -> Result<Resource<Histogram>, MetricError> {
        self.metrics
            .define_histogram(&name)
            .map(Resource::new_own)
            .map_err(|error| self.refuse_metric(&name, error))
    }

    fn observe(&mut self, histogram: Resource<Histogram>, sample: u64) {
        if let Some(histogram) = self.metrics.histogram(histogram.rep()) {
            histogram.observe(sample);
        }
    }

    fn drop(&mut self, histogram: Resource<Histogram>) -> wasmtime::Result<()> {
        self.metrics.drop_handle(histogram.rep());
        Ok(())
    }
}

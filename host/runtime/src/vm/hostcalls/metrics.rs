//! `metrics`: not built yet; every definition says so.

use wasmtime::component::Resource;

use crate::vm::bindings::proxy_wasm::plugin::metrics::{
    self, Counter, Gauge, Histogram, MetricError,
};
use crate::vm::state::VmState;

impl metrics::Host for VmState {}

// No plugin ever gets a metric, so only the definitions can be reached.

impl metrics::HostCounter for VmState {
    fn define(&mut self, _name: String) -> Result<Resource<Counter>, MetricError> {
        self.report_unsupported("metrics.counter.define");
        Err(MetricError::Unsupported)
    }

    fn add(&mut self, _counter: Resource<Counter>, _amount: u64) {}

    fn value(&mut self, _counter: Resource<Counter>) -> u64 {
        0
    }

    fn drop(&mut self, _counter: Resource<Counter>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl metrics::HostGauge for VmState {
    fn define(&mut self, _name: String) -> Result<Resource<Gauge>, MetricError> {
        self.report_unsupported("metrics.gauge.define");
        Err(MetricError::Unsupported)
    }

    fn add(&mut self, _gauge: Resource<Gauge>, _amount: u64) {}

    fn subtract(&mut self, _gauge: Resource<Gauge>, _amount: u64) {}

    fn set(&mut self, _gauge: Resource<Gauge>, _value: u64) {}

    fn value(&mut self, _gauge: Resource<Gauge>) -> u64 {
        0
    }

    fn drop(&mut self, _gauge: Resource<Gauge>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl metrics::HostHistogram for VmState {
    fn define(&mut self, _name: String) -> Result<Resource<Histogram>, MetricError> {
        self.report_unsupported("metrics.histogram.define");
        Err(MetricError::Unsupported)
    }

    fn observe(&mut self, _histogram: Resource<Histogram>, _sample: u64) {}

    fn drop(&mut self, _histogram: Resource<Histogram>) -> wasmtime::Result<()> {
        Ok(())
    }
}

//! Tells what of this proxy that Envoy does not do a plugin has relied on.

use proxy_wasi_stream::{Deviation, FilterIndex};

use super::Exchange;

impl Exchange {
    /// Logs what plugins have relied on in this exchange, each deviation once for each plugin and process.
    pub(super) fn log_deviations(&self) {
        let mut machine = self.machine.borrow_mut();
        while let Some((filter, deviation)) = machine.take_deviation() {
            self.log_deviation(filter, deviation);
        }
    }

    #[cold]
    fn log_deviation(&self, filter: FilterIndex, deviation: Deviation) {
        let Some(stream) = self.filters.get(filter.0) else {
            return;
        };
        let Some(Ok(vm)) = stream.bound.vm.as_ref().map(|vm| vm.vm.try_borrow()) else {
            return;
        };
        let Some(root) = vm.state().root(stream.bound.root) else {
            return;
        };
        let plugin = &root.info;
        if plugin.counters.first_deviation(deviation) {
            tracing::warn!(
                plugin = plugin.name,
                deviation = deviation.id(),
                request_id = self.request_id_text(),
                "plugin relies on what Envoy does not do: {deviation}"
            );
        }
    }
}

//! Tells why an exchange was reset.

use proxy_wasi_stream::{FilterIndex, ResetReason};

use super::Exchange;

impl Exchange {
    /// Logs a reset, with the name of the plugin that is to blame, if one is.
    #[cold]
    pub(super) fn log_reset(&self, reason: &ResetReason) {
        tracing::warn!(
            plugin = reason.filter().and_then(|filter| self.plugin_name(filter)),
            request_id = self.request_id_text(),
            %reason,
            "stream reset"
        );
    }

    /// The reason itself knows only the plugin's place in the chain.
    fn plugin_name(&self, filter: FilterIndex) -> Option<String> {
        let bound = &self.filters.get(filter.0)?.bound;
        let vm = bound.vm.as_ref()?.vm.try_borrow().ok()?;
        Some(vm.state().root(bound.root)?.info.name.clone())
    }
}

//! Tells why an exchange was reset, or ended without a response.

use proxy_wasi_stream::{Direction, FilterIndex, ResetReason};

use super::Exchange;
use crate::metrics::ResetCause;

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

    /// Logs which plugin held a message, if one did, when the exchange ended without a response: the client went, or a
    /// timeout came, before the plugin let it go on.
    #[cold]
    pub(in crate::filter_chain) fn log_holder(&self) {
        let machine = self.machine.borrow();
        let Some((filter, message)) = machine.holder() else {
            return;
        };
        // The body callback in which it may have meant to resume has not come.
        let way_out = match machine.hides_body(filter, message) {
            true => "; with `on_headers_pause: stop_iteration` body callbacks come meanwhile",
            false => "",
        };
        drop(machine);
        let message = match message {
            Direction::Request => "request",
            Direction::Response => "response",
        };
        tracing::info!(
            plugin = self.plugin_name(filter),
            request_id = self.request_id_text(),
            "ended unanswered while the plugin held the {message}: it had paused, and not resumed{way_out}"
        );
    }

    /// Why the exchange was reset, if it was.
    pub(in crate::filter_chain) fn reset_cause(&self) -> Option<ResetCause> {
        Some(match self.outbox.borrow().reset.as_ref()? {
            ResetReason::ByFilter(_) => ResetCause::Plugin,
            ResetReason::LateLocalResponse { .. } => ResetCause::LateLocalResponse,
            ResetReason::LateHostResponse { .. } => ResetCause::LateHostResponse,
            ResetReason::FilterFailed(_) => ResetCause::PluginFailed,
            ResetReason::BodyTooLarge { .. } => ResetCause::BodyTooLarge,
            ResetReason::ContentLength { .. } => ResetCause::ContentLength,
            ResetReason::UpstreamReset => ResetCause::Upstream,
        })
    }

    /// The reason itself knows only the plugin's place in the chain.
    fn plugin_name(&self, filter: FilterIndex) -> Option<String> {
        let bound = &self.filters.get(filter.0)?.bound;
        let vm = bound.vm.as_ref()?.vm.try_borrow().ok()?;
        Some(vm.state().root(bound.root)?.info.name.clone())
    }
}

//! Everything that is counted, as Prometheus reads it.

mod custom;
mod family;

use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;

use self::family::{Distribution, counters, gauges, histogram};
use super::worker::{DURATION_BUCKETS, OwnCounter, STATUS_CLASSES};
use super::{
    CalloutKind, CalloutResult, HostMetrics, PluginCounters, ResetCause, UpstreamFailureCause,
    WorkerMetrics,
};
use crate::state::metrics::MetricStore;
use crate::vm::{PluginInfo, TrapCause};

/// The media type of [`text`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// What the names of metrics that plugins define begin with, as in Envoy.
pub const CUSTOM_PREFIX: &str = "wasmcustom_";

/// Returns all metrics as text: the proxy's own, then those that plugins have defined.
///
/// # Errors
///
/// None, unless a family had no name or no series, which would be a bug.
pub fn text(host: &HostMetrics, custom: &dyn MetricStore) -> prometheus::Result<String> {
    let mut families = of_workers(&host.workers());
    families.extend(of_plugins(&host.plugins()));
    families.extend(custom::families(&custom.snapshot()));
    families.retain(|family| !family.get_metric().is_empty());
    TextEncoder::new().encode_to_string(&families)
}

fn of_workers(workers: &[std::sync::Arc<WorkerMetrics>]) -> Vec<MetricFamily> {
    let sum = |of: &dyn Fn(&WorkerMetrics) -> Option<&OwnCounter>| {
        workers
            .iter()
            .filter_map(|worker| of(worker))
            .fold(0_u64, |sum, one| sum.wrapping_add(one.get()))
    };
    let classes = STATUS_CLASSES.iter().enumerate().map(|(at, class)| {
        let count = sum(&|worker| worker.requests.get(at));
        (vec![("status", *class)], count)
    });
    let causes = UpstreamFailureCause::ALL.iter().map(|cause| {
        let count = sum(&|worker| worker.upstream_failures.get(*cause as usize));
        (vec![("cause", cause.text())], count)
    });
    let resets = ResetCause::ALL.iter().map(|cause| {
        let count = sum(&|worker| worker.resets.get(*cause as usize));
        (vec![("cause", cause.text())], count)
    });
    let durations = Distribution {
        bounds: DURATION_BUCKETS,
        counts: (0..=DURATION_BUCKETS.len())
            .map(|at| sum(&|worker| worker.durations.get(at)))
            .collect(),
        sum: std::time::Duration::from_nanos(sum(&|worker| Some(&worker.duration_nanos)))
            .as_secs_f64(),
    };
    vec![
        gauges(
            "proxy_wasi_build_info",
            "1, with the version of the proxy",
            [(vec![("version", env!("CARGO_PKG_VERSION"))], 1)],
        ),
        gauges(
            "proxy_wasi_workers",
            "Threads that serve requests",
            [(vec![], workers.len() as u64)],
        ),
        counters(
            "proxy_wasi_requests_total",
            "Exchanges that are over, by class of the response's status; `none` had no response",
            classes,
        ),
        gauges(
            "proxy_wasi_requests_active",
            "Exchanges that are not over",
            [(vec![], sum(&|worker| Some(&worker.active)))],
        ),
        histogram(
            "proxy_wasi_request_duration_seconds",
            "From a request's head to the end of its exchange",
            [(vec![], durations)],
        ),
        counters(
            "proxy_wasi_upstream_failures_total",
            "Requests that an upstream did not answer, by cause",
            causes,
        ),
        counters(
            "proxy_wasi_streams_reset_total",
            "Exchanges that could not be brought to a truthful end, by cause",
            resets,
        ),
    ]
}

fn of_plugins(plugins: &[std::sync::Arc<PluginInfo>]) -> Vec<MetricFamily> {
    let each = |of: fn(&PluginCounters) -> u64| {
        plugins.iter().map(move |plugin| {
            let labels = vec![("plugin", plugin.name.as_str())];
            (labels, of(&plugin.counters))
        })
    };
    let traps = plugins.iter().flat_map(|plugin| {
        TrapCause::ALL.iter().map(|cause| {
            let labels = vec![("plugin", plugin.name.as_str()), ("cause", cause.text())];
            (labels, plugin.counters.traps(*cause))
        })
    });
    // Most plugins make no callouts at all: only what has happened is shown.
    let callouts = plugins.iter().flat_map(|plugin| {
        CalloutKind::ALL.iter().flat_map(|kind| {
            CalloutResult::ALL.iter().map(|result| {
                let labels = vec![
                    ("plugin", plugin.name.as_str()),
                    ("kind", kind.text()),
                    ("result", result.text()),
                ];
                (labels, plugin.counters.callouts(*kind, *result))
            })
        })
    });
    vec![
        counters(
            "proxy_wasi_plugin_traps_total",
            "Callbacks that trapped, which ends their VM",
            traps,
        ),
        counters(
            "proxy_wasi_plugin_restarts_total",
            "VMs that were built again after a failure",
            each(PluginCounters::restarts),
        ),
        counters(
            "proxy_wasi_plugin_start_failures_total",
            "VMs that could not be built again",
            each(PluginCounters::start_failures),
        ),
        counters(
            "proxy_wasi_plugin_crash_loops_total",
            "Workers that gave the plugin's VM up after failures in a row",
            each(PluginCounters::crash_loops),
        ),
        counters(
            "proxy_wasi_plugin_local_responses_total",
            "Requests that the plugin answered itself",
            each(PluginCounters::local_responses),
        ),
        counters(
            "proxy_wasi_callouts_total",
            "Calls that plugins made, by what became of them",
            callouts.filter(|(_, count)| *count > 0),
        ),
        gauges(
            "proxy_wasi_plugin_vms",
            "VMs that exist; those that plugins share count for the first of them",
            each(PluginCounters::vms),
        ),
        gauges(
            "proxy_wasi_plugin_vm_memory_bytes",
            "Linear memory of these VMs",
            each(PluginCounters::memory),
        ),
    ]
}

#[cfg(test)]
mod tests;

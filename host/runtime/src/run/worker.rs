//! One worker: a thread with its own runtime, listener and VMs.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use proxy_wasi_stream::Limits;
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::RunError;
use super::plugins::Plugins;
use super::workers::EndNotice;
use crate::callout::{CalloutClient, CalloutLimits};
use crate::config::{Config, LogLevel};
use crate::filter_chain::{self, Chain, ChainFilter, RootSpec, Routes, VmSlot};
use crate::metrics::WorkerMetrics;
use crate::server::{
    self, AccessLog, AccessLogHandle, AccessRecord, DrainSignal, RequestIds, ServerOptions,
};
use crate::services::Services;
use crate::upstream::{Cluster, Trust, UpstreamClient, UpstreamOptions};
use crate::vm::{Level, VmLimits, VmSpec};

/// How long plugins may take to finish after `on-done`, for all of a worker together: what is left between the default
/// of `timeouts.drain_grace` and the 30 s after which Kubernetes kills, less a second to end the process.
pub(super) const DONE_GRACE: Duration = Duration::from_secs(4);

/// What a worker is made from, sent to its thread.
pub(super) struct WorkerSetup {
    pub(super) config: Arc<Config>,
    /// Where what runs once runs.
    pub(super) is_first: bool,
    pub(super) plugins: Arc<Plugins>,
    pub(super) clusters: Arc<[Arc<Cluster>]>,
    /// For what is no cluster.
    pub(super) trust: Arc<Trust>,
    pub(super) listener: TcpListener,
    pub(super) drain: DrainSignal,
    pub(super) access_log: Option<AccessLogHandle>,
    pub(super) services: Services,
    pub(super) metrics: Option<Arc<WorkerMetrics>>,
}

impl WorkerSetup {
    /// Starts the plugins, tells `started`, and serves until drained. `end` lives as long as it serves.
    pub(super) fn run(
        self,
        started: &Sender<Result<(), RunError>>,
        end: EndNotice,
    ) -> Result<(), RunError> {
        // The receiver waits for exactly this.
        let tell = |result| drop(started.send(result));
        block_on(self.serve(tell, end)).unwrap_or_else(|error| {
            tell(Err(RunError::Worker(error)));
            Ok(())
        })
    }

    async fn serve(
        self,
        tell: impl Fn(Result<(), RunError>),
        _end: EndNotice,
    ) -> Result<(), RunError> {
        let slots = match self.start_plugins() {
            Ok(slots) => slots,
            Err(error) => {
                tell(Err(error));
                return Ok(());
            }
        };
        let options = ServerOptions::new(&self.config.timeouts);
        let (worker, listener, drain) = self.into_worker(&slots);
        let worker = Rc::new(worker);
        tell(Ok(()));
        let refusing = Rc::clone(&worker);
        let on_refused = Rc::new(move |record: &AccessRecord| {
            if let Some(metrics) = &refusing.metrics {
                metrics.request_began();
                metrics.request_ended(record.status, Duration::ZERO);
            }
            if let Some(log) = &refusing.access_log {
                log.write(record);
            }
        });
        let service = move |request, connection| {
            filter_chain::handle(Rc::clone(&worker), request, connection)
        };
        let served = server::serve(listener, service, on_refused, options, drain)
            .await
            .map_err(RunError::Worker)?;
        if served.cut_off > 0 {
            tracing::warn!(
                connections = served.cut_off,
                "connections cut off: they were still busy after the grace period"
            );
        }
        stop_plugins(&slots).await;
        Ok(())
    }

    /// For each of the plugins' VMs: its place, or nothing if it runs in another worker.
    fn start_plugins(&self) -> Result<Vec<Option<Rc<VmSlot>>>, RunError> {
        let limits = VmLimits {
            memory: self.config.limits.vm_memory,
            callback_time: self.config.limits.callback_time,
            start_time: self.config.limits.start_time,
        };
        let log_level = plugin_level(self.config.log_level);
        let callouts = CalloutClient::new(
            Arc::clone(&self.clusters),
            Arc::clone(&self.trust),
            self.config.timeouts.connect,
            CalloutLimits {
                outstanding: self.config.limits.callouts,
                body: self.config.limits.callout_response,
                timeout: self.config.timeouts.idle,
            },
        );
        let start = |plan: &super::plugins::VmPlan| {
            if plan.once && !self.is_first {
                return Ok(None);
            }
            let roots = plan
                .roots
                .iter()
                .map(|root| RootSpec {
                    info: Arc::clone(&root.info),
                    configuration: root.configuration.clone(),
                })
                .collect();
            let spec = VmSpec {
                code: plan.code.clone(),
                vm_id: plan.vm_id.clone(),
                configuration: plan.vm_configuration.clone(),
                environment: plan.environment.clone(),
                limits,
                log_level,
                services: self.services.clone(),
                callouts: callouts.clone(),
            };
            VmSlot::start(spec, roots, plan.recovery, self.config.restarts)
                .map(Some)
                .map_err(|(plugin, source)| RunError::Start { plugin, source })
        };
        self.plugins.vms.iter().map(start).collect()
    }

    fn into_worker(
        self,
        slots: &[Option<Rc<VmSlot>>],
    ) -> (filter_chain::Worker, TcpListener, DrainSignal) {
        let filters = self
            .plugins
            .all
            .iter()
            .filter(|(config, ..)| config.service.is_none())
            .filter_map(|(config, vm, root)| {
                Some(ChainFilter {
                    config: Arc::clone(config),
                    slot: Rc::clone(slots.get(*vm)?.as_ref()?),
                    root: *root,
                })
            })
            .collect();
        let limits = Limits {
            request_body_bytes: self.config.limits.request_buffer,
            response_body_bytes: self.config.limits.response_buffer,
        };
        let worker = filter_chain::Worker {
            chain: RefCell::new(Rc::new(Chain { filters, limits })),
            client: UpstreamClient::new(UpstreamOptions::new(&self.config.timeouts)),
            routes: Rc::new(Routes::new(&self.config, &self.clusters)),
            echo_body: self.config.limits.request_buffer,
            request_ids: RequestIds::new(),
            access_log: self.access_log.map(AccessLog::new),
            metrics: self.metrics,
        };
        (worker, self.listener, self.drain)
    }
}

/// Runs a worker's work on a runtime of its own, to its end and no longer: a name server that does not answer holds up a
/// thread of the runtime.
fn block_on<F: Future>(work: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let output = LocalSet::new().block_on(&runtime, work);
    runtime.shutdown_background();
    Ok(output)
}

/// Ends all root contexts, now that the last stream has ended. Those that ask for time get it together.
async fn stop_plugins(slots: &[Option<Rc<VmSlot>>]) {
    let deadline = Instant::now() + DONE_GRACE;
    let mut waiting = Vec::new();
    for slot in slots.iter().flatten() {
        waiting.extend(slot.stop(deadline).await);
    }
    for vm in waiting {
        vm.wait_for_end(deadline).await;
    }
}

fn plugin_level(level: LogLevel) -> Option<Level> {
    match level {
        LogLevel::Trace => Some(Level::Trace),
        LogLevel::Debug => Some(Level::Debug),
        LogLevel::Info => Some(Level::Info),
        LogLevel::Warn => Some(Level::Warn),
        LogLevel::Error => Some(Level::Error),
        LogLevel::Off => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_worker_ends_although_a_name_server_does_not_answer() {
        let (answer, answered) = channel::<()>();
        let (asked, asking) = channel();
        let resolve = move || {
            asked.send(()).unwrap();
            let _ = answered.recv();
        };
        // As tokio resolves names.
        let ended = block_on(async {
            drop(tokio::task::spawn_blocking(resolve));
            asking.recv().unwrap();
        });
        ended.unwrap();
        drop(answer);
    }
}

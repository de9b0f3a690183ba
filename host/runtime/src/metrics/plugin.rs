//! What is counted of one plugin, by all workers together. All of it is rare.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use proxy_wasi_stream::Deviation;

use super::label;
use crate::vm::TrapCause;

label! {
    /// What kind of call a plugin made.
    pub enum CalloutKind {
        /// `proxy_http_call`, `http-callout.send`.
        Http = "http",
        /// `proxy_grpc_call`, `grpc-callout.call`.
        GrpcCall = "grpc_call",
        /// `proxy_grpc_stream`, `grpc-callout.open`.
        GrpcStream = "grpc_stream",
    }
}

label! {
    /// What became of a callout.
    pub enum CalloutResult {
        /// It was answered. With gRPC: with status 0.
        Answered = "answered",
        /// It was refused before anything was sent: no such cluster, malformed, over a limit.
        Refused = "refused",
        /// There was no answer within its timeout.
        Timeout = "timeout",
        /// The upstream could not be reached, or broke off. With gRPC: any status but 0.
        Failed = "failed",
        /// The answer was larger than a plugin may be given.
        TooLarge = "too_large",
        /// The plugin cancelled it, or has gone.
        Cancelled = "cancelled",
    }
}

const RESULTS: usize = CalloutResult::ALL.len();

/// What is counted of one plugin, over all workers.
#[derive(Debug, Default)]
pub struct PluginCounters {
    /// By place in [`TrapCause::ALL`].
    traps: [AtomicU64; TrapCause::ALL.len()],
    restarts: AtomicU64,
    start_failures: AtomicU64,
    crash_loops: AtomicU64,
    local_responses: AtomicU64,
    callouts: [[AtomicU64; RESULTS]; CalloutKind::ALL.len()],
    vms: AtomicU64,
    memory: AtomicU64,
    /// Deviations from Envoy that were logged, by their place in the list of all.
    deviations: AtomicU16,
}

impl PluginCounters {
    /// A callback has trapped.
    pub fn trapped(&self, cause: TrapCause) {
        if let Some(count) = self.traps.get(cause as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The plugin's VM was built again after a failure.
    pub fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// The plugin's VM could not be built again.
    pub fn start_failed(&self) {
        self.start_failures.fetch_add(1, Ordering::Relaxed);
    }

    /// A worker has given the plugin up.
    pub fn crash_looped(&self) {
        self.crash_loops.fetch_add(1, Ordering::Relaxed);
    }

    /// The plugin has answered a request itself.
    pub fn responded(&self) {
        self.local_responses.fetch_add(1, Ordering::Relaxed);
    }

    /// A callout of the plugin has ended, or was refused.
    pub fn callout_ended(&self, kind: CalloutKind, result: CalloutResult) {
        if let Some(count) = self
            .callouts
            .get(kind as usize)
            .and_then(|results| results.get(result as usize))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a deviation is logged for the first time. It counts as logged then.
    pub(crate) fn first_deviation(&self, deviation: Deviation) -> bool {
        let bit = deviation.bit();
        self.deviations.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    pub(super) fn traps(&self, cause: TrapCause) -> u64 {
        self.traps
            .get(cause as usize)
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(super) fn callouts(&self, kind: CalloutKind, result: CalloutResult) -> u64 {
        self.callouts
            .get(kind as usize)
            .and_then(|results| results.get(result as usize))
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    pub(crate) fn start_failures(&self) -> u64 {
        self.start_failures.load(Ordering::Relaxed)
    }

    pub(crate) fn crash_loops(&self) -> u64 {
        self.crash_loops.load(Ordering::Relaxed)
    }

    pub(super) fn local_responses(&self) -> u64 {
        self.local_responses.load(Ordering::Relaxed)
    }

    pub(super) fn vms(&self) -> u64 {
        self.vms.load(Ordering::Relaxed)
    }

    pub(super) fn memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }
}

/// Counts a VM and its memory for as long as it exists. What several plugins share is counted for the first.
#[derive(Debug)]
pub(crate) struct VmMeter {
    counters: Arc<PluginCounters>,
    memory: u64,
}

impl VmMeter {
    pub(crate) fn new(counters: Arc<PluginCounters>) -> Self {
        counters.vms.fetch_add(1, Ordering::Relaxed);
        Self {
            counters,
            memory: 0,
        }
    }

    /// The VM's memory has grown.
    pub(crate) fn grew(&mut self, bytes: usize) {
        self.memory += bytes as u64;
        self.counters
            .memory
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for VmMeter {
    fn drop(&mut self) {
        self.counters.vms.fetch_sub(1, Ordering::Relaxed);
        self.counters
            .memory
            .fetch_sub(self.memory, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_a_counter_of_its_own() {
        let counters = PluginCounters::default();
        for cause in TrapCause::ALL {
            counters.trapped(*cause);
        }
        assert!(
            TrapCause::ALL
                .iter()
                .all(|cause| counters.traps(*cause) == 1)
        );
        for kind in CalloutKind::ALL {
            for result in CalloutResult::ALL {
                counters.callout_ended(*kind, *result);
                assert_eq!(counters.callouts(*kind, *result), 1);
            }
        }
    }

    #[test]
    fn memory_is_counted_while_its_vm_exists() {
        let counters = Arc::<PluginCounters>::default();
        let mut first = VmMeter::new(Arc::clone(&counters));
        let mut second = VmMeter::new(Arc::clone(&counters));
        first.grew(3);
        second.grew(4);
        second.grew(5);
        assert_eq!((counters.vms(), counters.memory()), (2, 12));
        drop(second);
        assert_eq!((counters.vms(), counters.memory()), (1, 3));
    }

    #[test]
    fn a_deviation_is_first_once() {
        let counters = PluginCounters::default();
        for deviation in Deviation::ALL {
            assert!(counters.first_deviation(deviation));
            assert!(!counters.first_deviation(deviation));
        }
    }
}

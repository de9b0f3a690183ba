//! What unit tests make VMs from.

use std::time::Duration;

use bytes::Bytes;
use proxy_wasi_linker::Linker;
use proxy_wasi_shim_artifact::SHIM;
use tokio::task::{LocalSet, yield_now};
use wasmtime::component::Component;

use super::{VmLimits, VmSpec};
use crate::callout::CalloutClient;
use crate::plugin::{PluginCode, PluginEngine};
use crate::services::Services;

/// What VMs of a legacy module, given as text, are made from. Its callbacks have time enough.
pub(crate) fn vm_spec(module: &str) -> VmSpec {
    let engine = PluginEngine::new().unwrap();
    let linked = Linker::new(SHIM)
        .unwrap()
        .link(&wat::parse_str(module).unwrap())
        .unwrap();
    let component = Component::from_binary(engine.engine(), &linked.component).unwrap();
    VmSpec {
        code: PluginCode::new(&engine, &component).unwrap(),
        vm_id: String::new(),
        configuration: Bytes::new(),
        environment: Vec::new(),
        limits: VmLimits {
            memory: 1 << 24,
            callback_time: Duration::from_secs(10),
        },
        log_level: None,
        services: Services::default(),
        callouts: CalloutClient::to_nowhere(),
    }
}

/// Runs a test as a worker runs its tasks.
pub(crate) fn on_a_worker(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test);
}

/// Lets the worker's other tasks run.
pub(crate) async fn let_tasks_run() {
    for _ in 0..8 {
        yield_now().await;
    }
}

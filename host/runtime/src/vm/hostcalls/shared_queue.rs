//! `shared-queue`: not built yet; every call says so.

use wasmtime::component::Resource;

use crate::vm::bindings::proxy_wasm::plugin::shared_queue::{self, Queue, QueueError};
use crate::vm::state::VmState;

impl shared_queue::Host for VmState {}

impl shared_queue::HostQueue for VmState {
    fn register(&mut self, _root: u64, _name: String) -> Result<Resource<Queue>, QueueError> {
        self.report_unsupported("shared-queue.register");
        Err(QueueError::Unsupported)
    }

    fn resolve(&mut self, _vm_id: String, _name: String) -> Result<Resource<Queue>, QueueError> {
        self.report_unsupported("shared-queue.resolve");
        Err(QueueError::Unsupported)
    }

    // No plugin ever gets a queue, so none of these can be reached.

    fn token(&mut self, _queue: Resource<Queue>) -> u32 {
        0
    }

    fn enqueue(&mut self, _queue: Resource<Queue>, _item: Vec<u8>) -> Result<(), QueueError> {
        Err(QueueError::Unsupported)
    }

    fn dequeue(&mut self, _queue: Resource<Queue>) -> Result<Option<Vec<u8>>, QueueError> {
        Err(QueueError::Unsupported)
    }

    fn drop(&mut self, _queue: Resource<Queue>) -> wasmtime::Result<()> {
        Ok(())
    }
}

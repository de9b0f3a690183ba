//! `root-control`: the end of a root context.

use crate::vm::bindings::proxy_wasm::plugin::root_control;
use crate::vm::state::VmState;

impl root_control::Host for VmState {
    fn done(&mut self, root: u64) -> bool {
        let waits = self
            .root_mut(root)
            .is_some_and(|root| std::mem::take(&mut root.pending_done));
        if waits {
            // This callback still runs: the last one comes after it.
            self.handle().deliver(move |vm| vm.delete_root(root));
        }
        waits
    }
}

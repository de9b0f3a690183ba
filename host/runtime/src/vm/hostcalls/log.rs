//! `wasi:logging` and `log-level`.

use crate::vm::bindings::proxy_wasm::plugin::log_level;
use crate::vm::bindings::wasi::logging::logging::{self, Level};
use crate::vm::state::VmState;

impl logging::Host for VmState {
    fn log(&mut self, level: Level, context: String, message: String) {
        if context.is_empty() || !self.keeps(level) {
            VmState::log(self, level, &message);
        } else {
            VmState::log(self, level, &format!("{context}: {message}"));
        }
    }
}

impl log_level::Host for VmState {
    fn current(&mut self) -> Option<Level> {
        self.log_level
    }
}

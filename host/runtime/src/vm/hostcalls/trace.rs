//! `trace`: the hostcalls of a legacy module, as the tracing build of the shim tells of them.

use std::collections::VecDeque;
use std::fmt::Write;

use crate::vm::bindings::proxy_wasm::plugin::trace;
use crate::vm::bindings::wasi::logging::logging::Level;
use crate::vm::state::VmState;

/// Hostcalls that the report of a trap shows: what a callback does before it goes wrong.
const RECENT: usize = 16;

/// The last hostcalls of a VM.
#[derive(Debug, Default)]
pub(crate) struct RecentHostcalls(VecDeque<String>);

impl RecentHostcalls {
    fn push(&mut self, call: String) {
        if self.0.len() == RECENT {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }

    /// All of them, oldest first.
    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0).into()
    }
}

impl trace::Host for VmState {
    fn hostcall(&mut self, name: String, arguments: Vec<i64>, answer: Option<i64>) {
        let mut call = name.strip_prefix("env.").unwrap_or(&name).to_owned();
        let list: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        // Writing to a string does not fail.
        let _ = write!(call, "({})", list.join(", "));
        if let Some(answer) = answer {
            let _ = write!(call, " -> {answer}");
        }
        self.log(Level::Trace, &call);
        self.recent_hostcalls.push(call);
    }
}

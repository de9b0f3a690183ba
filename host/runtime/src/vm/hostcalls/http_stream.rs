//! `http-stream`: steering.

use crate::vm::access::{Direction, Interest, LocalResponse, LocalResponseError};
use crate::vm::bindings::proxy_wasm::plugin::http_stream;
use crate::vm::state::VmState;

impl http_stream::Host for VmState {
    fn resume(&mut self, context: u64, of: Direction) {
        if let Some((stream, filter)) = self.steer(context) {
            stream.resume(filter, of);
        }
    }

    fn send_local_response(
        &mut self,
        context: u64,
        response: LocalResponse,
    ) -> Result<(), LocalResponseError> {
        let (stream, filter) = self
            .steer(context)
            .ok_or(LocalResponseError::UnknownStream)?;
        stream.send_local_response(filter, response)?;
        if let Some(plugin) = self.current_plugin() {
            plugin.counters.responded();
        }
        Ok(())
    }

    fn reset(&mut self, context: u64) {
        if let Some((stream, filter)) = self.steer(context) {
            stream.reset(filter);
        }
    }

    fn narrow_interest(&mut self, context: u64, interest: Interest) {
        if let Some(stream) = self.stream(context) {
            stream.access.narrow_interest(stream.filter, interest);
        }
    }

    fn clear_route_cache(&mut self, context: u64) {
        if let Some(stream) = self.stream(context) {
            stream.access.clear_route_cache();
        }
    }
}

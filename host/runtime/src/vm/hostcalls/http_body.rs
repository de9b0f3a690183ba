//! `http-body`.

use crate::vm::access::{BodyError, Direction};
use crate::vm::bindings::proxy_wasm::plugin::http_body;
use crate::vm::state::VmState;

impl http_body::Host for VmState {
    fn size(&mut self, context: u64, of: Direction) -> Result<u32, BodyError> {
        let stream = self.stream(context).ok_or(BodyError::UnknownStream)?;
        stream.access.body_size(stream.filter, of)
    }

    fn read(
        &mut self,
        context: u64,
        of: Direction,
        start: u32,
        count: u32,
    ) -> Result<Vec<u8>, BodyError> {
        let stream = self.stream(context).ok_or(BodyError::UnknownStream)?;
        stream.access.read_body(stream.filter, of, start, count)
    }

    fn splice(
        &mut self,
        context: u64,
        of: Direction,
        start: u32,
        count: u32,
        data: Vec<u8>,
    ) -> Result<(), BodyError> {
        let stream = self.stream(context).ok_or(BodyError::UnknownStream)?;
        stream
            .access
            .splice_body(stream.filter, of, start, count, &data)
    }
}

//! `http-callout`: not built yet; every call says so.

use crate::vm::bindings::proxy_wasm::plugin::http_callout::{self, CalloutError, CalloutRequest};
use crate::vm::state::VmState;

impl http_callout::Host for VmState {
    fn send(&mut self, _root: u64, _request: CalloutRequest) -> Result<u64, CalloutError> {
        self.report_unsupported("http-callout.send");
        Err(CalloutError::Unsupported)
    }

    fn cancel(&mut self, _id: u64) {}

    // No callout is ever answered, so there is nothing to read.

    fn response_status(&mut self, _id: u64) -> Option<u16> {
        None
    }

    fn response_headers(&mut self, _id: u64) -> Vec<(String, Vec<u8>)> {
        Vec::new()
    }

    fn response_body_size(&mut self, _id: u64) -> u32 {
        0
    }

    fn response_body(&mut self, _id: u64, _start: u32, _count: u32) -> Vec<u8> {
        Vec::new()
    }

    fn response_trailers(&mut self, _id: u64) -> Vec<(String, Vec<u8>)> {
        Vec::new()
    }
}

//! `grpc-callout`: not built yet; every call says so.

use crate::vm::bindings::proxy_wasm::plugin::grpc_callout::{self, GrpcError, GrpcTarget};
use crate::vm::bindings::proxy_wasm::plugin::http_callout::CalloutError;
use crate::vm::state::VmState;

impl grpc_callout::Host for VmState {
    fn call(
        &mut self,
        _root: u64,
        _target: GrpcTarget,
        _metadata: Vec<(String, Vec<u8>)>,
        _message: Vec<u8>,
        _timeout: Option<u64>,
    ) -> Result<u64, CalloutError> {
        self.report_unsupported("grpc-callout.call");
        Err(CalloutError::Unsupported)
    }

    fn open(
        &mut self,
        _root: u64,
        _target: GrpcTarget,
        _metadata: Vec<(String, Vec<u8>)>,
    ) -> Result<u64, CalloutError> {
        self.report_unsupported("grpc-callout.open");
        Err(CalloutError::Unsupported)
    }

    // No callout exists, so none can be meant.

    fn send(&mut self, _id: u64, _message: Vec<u8>, _end_of_stream: bool) -> Result<(), GrpcError> {
        Err(GrpcError::UnknownCallout)
    }

    fn close(&mut self, _id: u64) -> Result<(), GrpcError> {
        Err(GrpcError::UnknownCallout)
    }

    fn cancel(&mut self, _id: u64) -> Result<(), GrpcError> {
        Err(GrpcError::UnknownCallout)
    }
}

//! What a legacy module asks for, one module for each section of the ABI reference's chapter 4.
//!
//! Checks come in the order of 4.1: numbers, then the memory of all arguments, then the operation, then the memory of
//! the results.

pub(crate) mod buffer;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod foreign_function;
pub(crate) mod grpc_callout;
pub(crate) mod header_map;
pub(crate) mod http_callout;
pub(crate) mod integration;
pub(crate) mod local_response;
pub(crate) mod metric;
pub(crate) mod property;
pub(crate) mod shared_data;
pub(crate) mod shared_queue;
pub(crate) mod stream;
pub(crate) mod timer;
pub(crate) mod toolchain;
pub(crate) mod wasi;

use proxy_wasi_abi::Status;

/// What a hostcall answers: `Ok`, or another status.
pub(crate) type Answer = Result<(), Status>;

//! Calls that plugins make themselves, HTTP and gRPC, to clusters.
//!
//! Nothing here knows VMs: a call is a future, made by the worker's [`CalloutClient`], and ends in a value. Whoever drops
//! the future gives the call up.

mod body;
mod client;
mod error;
mod grpc;
mod http;
mod request;
mod target;

pub(crate) use self::client::{CalloutClient, CalloutLimits, Unknown};
pub(crate) use self::error::CalloutFailure;
pub(crate) use self::grpc::{
    GrpcCall, GrpcEvent, GrpcStatus, GrpcTarget, MessageSender, SendError,
};
pub(crate) use self::http::{HttpAnswer, HttpCall};
pub(crate) use self::request::{Fields, RequestParts};

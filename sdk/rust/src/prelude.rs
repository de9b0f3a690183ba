//! What most plugins need, and every type in a callback's signature: `use proxy_wasi_sdk::prelude::*;`.

pub use crate::{
    Callout, CalloutId, CalloutResponse, DataAction, Error, ErrorCode, Exchange, FieldValue,
    Fields, GrpcEvent, GrpcMethod, HeaderAction, HttpStream, Interest, LocalResponse, Method,
    Plugin, PropertyValue, Queue, QueueToken, Result, Root, StreamId, TrailersAction,
};
pub use crate::{critical, debug, error, info, trace, warn};

//! What most plugins need: `use proxy_wasi_sdk::prelude::*;`.

pub use crate::{
    Callout, CalloutId, CalloutResponse, DataAction, ErrorCode, Exchange, FieldValue, Fields,
    HeaderAction, HttpStream, Interest, LocalResponse, Method, Plugin, Result, Root, StreamId,
    TrailersAction,
};
pub use crate::{critical, debug, error, info, trace, warn};

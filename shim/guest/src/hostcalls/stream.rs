//! Stream control (ABI reference 4.7).

use proxy_wasi_abi::{Status, StreamType};

use super::Answer;
use crate::active;
use crate::bindings::proxy_wasm::plugin::http_stream;
use crate::bindings::proxy_wasm::plugin::plugin_types::Direction;

/// `proxy_continue_stream`
pub(crate) fn continue_stream(stream: u32) -> Answer {
    match StreamType::try_from(stream).map_err(|_| Status::BadArgument)? {
        StreamType::HttpRequest => resume(Direction::Request),
        StreamType::HttpResponse => resume(Direction::Response),
        // An HTTP stream has no connection of its own to resume.
        StreamType::Downstream => Ok(()),
        StreamType::Upstream => Err(Status::Unimplemented),
    }
}

/// `proxy_continue_request` and `proxy_continue_response`, 0.1.0. Without a stream there is nothing to resume, which
/// is no mistake.
pub(crate) fn resume(direction: Direction) -> Answer {
    if let Some(stream) = active::effective().stream() {
        http_stream::resume(stream, direction);
    }
    Ok(())
}

/// `proxy_close_stream`
pub(crate) fn close_stream(stream: u32) -> Answer {
    match StreamType::try_from(stream).map_err(|_| Status::BadArgument)? {
        StreamType::HttpRequest | StreamType::HttpResponse => {
            if let Some(stream) = active::effective().stream() {
                http_stream::reset(stream);
            }
        }
        // These close TCP connections, which HTTP streams are not.
        StreamType::Downstream | StreamType::Upstream => {}
    }
    Ok(())
}

/// `proxy_clear_route_cache`, 0.1.0
pub(crate) fn clear_route_cache() -> Answer {
    if let Some(stream) = active::effective().stream() {
        http_stream::clear_route_cache(stream);
    }
    Ok(())
}

//! Buffers (ABI reference 4.6).

use proxy_wasi_abi::{BufferType, LogLevel, Status};

use super::Answer;
use crate::active::{self, Phase};
use crate::bindings::proxy_wasm::plugin::http_body::{self, BodyError};
use crate::bindings::proxy_wasm::plugin::http_callout::{self, CalloutId};
use crate::bindings::proxy_wasm::plugin::http_stream::{self, LocalResponse};
use crate::bindings::proxy_wasm::plugin::plugin_types::{Direction, StreamContext};
use crate::callbacks::received::{self, ReceivedBytes};
use crate::contexts;
use crate::log;
use crate::memory::{self, Input, Output};

/// Bytes that are read of a body at a time, so that a large one need not pass through this memory as a whole.
const CHUNK: u32 = 256 * 1024;

/// Where a buffer's bytes are.
enum Source {
    /// At the host: what a stream shows of a message.
    Body(StreamContext, Direction),
    /// At the host: the answer to a callout.
    Callout(CalloutId),
    /// Here.
    Bytes(Vec<u8>),
    /// Nowhere in this phase, which reads as empty.
    Empty,
    /// Nowhere in this phase, which is `NotFound`.
    Missing,
}

fn source(buffer: BufferType) -> Source {
    let body = |direction| match active::effective().stream() {
        Some(stream) => Source::Body(stream, direction),
        None => Source::Empty,
    };
    match buffer {
        BufferType::HttpRequestBody => body(Direction::Request),
        BufferType::HttpResponseBody => body(Direction::Response),
        BufferType::DownstreamData | BufferType::UpstreamData => Source::Empty,
        BufferType::HttpCallResponseBody => received::callout()
            .map(Source::Callout)
            .or_else(|| received::bytes(ReceivedBytes::CalloutBody).map(Source::Bytes))
            .unwrap_or(Source::Missing),
        BufferType::GrpcReceiveBuffer => {
            received::bytes(ReceivedBytes::GrpcMessage).map_or(Source::Empty, Source::Bytes)
        }
        BufferType::VmConfiguration => Source::Bytes(contexts::with(|contexts| {
            contexts.vm_configuration().to_vec()
        })),
        BufferType::PluginConfiguration => {
            plugin_configuration().map_or(Source::Missing, Source::Bytes)
        }
        BufferType::CallData => {
            received::bytes(ReceivedBytes::Arguments).map_or(Source::Missing, Source::Bytes)
        }
    }
}

/// The plugin's configuration, while its root context is created or configured.
fn plugin_configuration() -> Option<Vec<u8>> {
    let root = active::effective()
        .root()
        .filter(|_| active::phase() == Phase::Configuration)?;
    contexts::with(|contexts| Some(contexts.root(root)?.configuration.clone()))
}

impl Source {
    fn size(&self) -> Result<u32, Status> {
        Ok(match self {
            Self::Body(stream, direction) => match http_body::size(*stream, *direction) {
                Ok(size) => size,
                Err(BodyError::UnknownStream | BodyError::Unavailable) => 0,
                Err(BodyError::OutOfRange | BodyError::TooLarge) => {
                    return Err(Status::InternalFailure);
                }
            },
            Self::Callout(id) => http_callout::response_body_size(*id),
            Self::Bytes(bytes) => memory::length(bytes)?,
            Self::Empty => 0,
            Self::Missing => return Err(Status::NotFound),
        })
    }

    /// Up to `count` bytes from `start` on.
    fn read(&self, start: u32, count: u32) -> Result<Vec<u8>, Status> {
        Ok(match self {
            Self::Body(stream, direction) => {
                match http_body::read(*stream, *direction, start, count) {
                    Ok(bytes) => bytes,
                    Err(
                        BodyError::UnknownStream | BodyError::Unavailable | BodyError::OutOfRange,
                    ) => Vec::new(),
                    Err(BodyError::TooLarge) => return Err(Status::InternalFailure),
                }
            }
            Self::Callout(id) => http_callout::response_body(*id, start, count),
            Self::Bytes(bytes) => slice(bytes, start, count).to_vec(),
            Self::Empty => Vec::new(),
            Self::Missing => return Err(Status::NotFound),
        })
    }
}

/// The part of `bytes` that lies within `count` bytes from `start` on.
fn slice(bytes: &[u8], start: u32, count: u32) -> &[u8] {
    let rest = bytes.get(start as usize..).unwrap_or_default();
    rest.get(..count as usize).unwrap_or(rest)
}

/// `proxy_get_buffer_bytes`
pub(crate) fn get_bytes(buffer: u32, start: u32, max: u32, result: Output) -> Answer {
    let source = source(BufferType::try_from(buffer).map_err(|_| Status::BadArgument)?);
    if let Source::Bytes(bytes) = &source {
        return result.give(slice(bytes, start, max));
    }
    if max <= CHUNK {
        return result.give(&source.read(start, max)?);
    }
    let count = source.size()?.saturating_sub(start).min(max);
    if count <= CHUNK {
        return result.give(&source.read(start, count)?);
    }
    let at = memory::allocate(count)?;
    let mut copied = 0;
    while copied < count {
        let chunk = source.read(start + copied, CHUNK.min(count - copied))?;
        if chunk.is_empty() {
            return Err(Status::InternalFailure);
        }
        memory::write(at + copied, &chunk)?;
        copied += memory::length(&chunk)?;
    }
    result.set(at, count)
}

/// `proxy_get_buffer_status`
pub(crate) fn get_status(buffer: u32, size: u32, flags: u32) -> Answer {
    let source = source(BufferType::try_from(buffer).map_err(|_| Status::BadArgument)?);
    memory::store_u32(size, source.size()?)?;
    memory::store_u32(flags, 0)
}

/// `proxy_set_buffer_bytes`
pub(crate) fn set_bytes(buffer: u32, start: u32, count: u32, data: Input) -> Answer {
    match source(BufferType::try_from(buffer).map_err(|_| Status::BadArgument)?) {
        Source::Body(stream, direction) => memory::with_inputs([data], |[data]| {
            splice(stream, direction, start, count, data)
        })?,
        Source::Missing => Err(Status::NotFound),
        Source::Callout(_) | Source::Bytes(_) | Source::Empty => {
            memory::with_inputs([data], |_| Err(Status::BadArgument))?
        }
    }
}

/// From 0 on, `count` bytes are replaced: none prepends. From the end on, data is appended, whatever the count.
fn splice(
    stream: StreamContext,
    direction: Direction,
    start: u32,
    count: u32,
    data: &[u8],
) -> Answer {
    let result = if start == 0 {
        http_body::splice(stream, direction, 0, count, data)
    } else {
        let size = http_body::size(stream, direction).map_err(refusal)?;
        if start < size {
            return Err(Status::BadArgument);
        }
        http_body::splice(stream, direction, size, 0, data)
    };
    match result {
        Err(BodyError::TooLarge) => {
            reject(stream, direction);
            Ok(())
        }
        result => result.map_err(refusal),
    }
}

/// Ends the stream as the host ends one whose body arrives too large. In Envoy every edit succeeds, so that a status
/// would be one that SDKs panic at: whoever can send a body of almost the limit could end the VM.
fn reject(stream: StreamContext, direction: Direction) {
    let (status, text, details, setting) = match direction {
        Direction::Request => (
            413,
            "Payload Too Large",
            "request_payload_too_large",
            "request_buffer",
        ),
        Direction::Response => (
            500,
            "Internal Server Error",
            "response_payload_too_large",
            "response_buffer",
        ),
    };
    log::shim(
        LogLevel::Warn,
        &format!("a body that the plugin edits outgrows `limits.{setting}`: its stream ends"),
    );
    let response = LocalResponse {
        status,
        headers: Vec::new(),
        body: text.into(),
        grpc_status: None,
        details: details.into(),
    };
    // An error: the stream has ended already.
    let _ = http_stream::send_local_response(stream, &response);
}

fn refusal(error: BodyError) -> Status {
    match error {
        BodyError::UnknownStream | BodyError::Unavailable | BodyError::OutOfRange => {
            Status::BadArgument
        }
        BodyError::TooLarge => Status::InternalFailure,
    }
}

/// `proxy_get_configuration`, 0.1.0: the plugin's configuration where that is readable, else the VM's.
pub(crate) fn get_configuration(result: Output) -> Answer {
    let configuration = plugin_configuration();
    let configuration = configuration
        .unwrap_or_else(|| contexts::with(|contexts| contexts.vm_configuration().to_vec()));
    result.give(&configuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_clamped() {
        let bytes = b"0123456789";
        assert_eq!(slice(bytes, 0, u32::MAX), bytes);
        assert_eq!(slice(bytes, 0, 0x7fff_ffff), bytes);
        assert_eq!(slice(bytes, 2, 3), b"234");
        assert_eq!(slice(bytes, 8, 3), b"89");
        assert_eq!(slice(bytes, 10, 1), b"");
        assert_eq!(slice(bytes, u32::MAX, u32::MAX), b"");
        assert_eq!(slice(bytes, 3, 0), b"");
    }
}

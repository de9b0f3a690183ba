//! `wasi:io` without waiting.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::streams::{
    HostInputStream as AsyncInput, HostOutputStream as AsyncOutput,
};
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::p2::{
    DynInputStream as InputStream, DynOutputStream as OutputStream, DynPollable, StreamError,
    StreamResult,
};
use wasmtime_wasi_io::bindings::wasi::io::error;
use wasmtime_wasi_io::bindings::wasi::io::poll::HostPollable as AsyncPollable;

/// A VM's resources, seen as the synchronous `wasi:io`.
pub(super) struct Io<'a>(pub(super) &'a mut ResourceTable);

/// Asks an operation once. Plugin output is always ready; nothing else that could wait can be made by a plugin.
fn once<T>(operation: impl Future<Output = StreamResult<T>>) -> StreamResult<T> {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StreamError::Closed),
    }
}

/// As [`once`], for what cannot fail softly.
fn once_or_trap<T>(operation: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(wasmtime::Error::msg("a plugin callback cannot wait")),
    }
}

impl error::Host for Io<'_> {}

impl error::HostError for Io<'_> {
    fn to_debug_string(&mut self, error: Resource<error::Error>) -> wasmtime::Result<String> {
        error::HostError::to_debug_string(self.0, error)
    }

    fn drop(&mut self, error: Resource<error::Error>) -> wasmtime::Result<()> {
        error::HostError::drop(self.0, error)
    }
}

/// A callback must not hold up its worker: whatever a plugin waits for counts as ready.
impl poll::Host for Io<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        if pollables.is_empty() {
            return Err(wasmtime::Error::msg(
                "`wasi:io/poll.poll` called with an empty list",
            ));
        }
        Ok((0..u32::try_from(pollables.len())?).collect())
    }
}

impl poll::HostPollable for Io<'_> {
    fn ready(&mut self, _pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        Ok(true)
    }

    fn block(&mut self, _pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        AsyncPollable::drop(self.0, pollable)
    }
}

impl streams::Host for Io<'_> {
    fn convert_stream_error(
        &mut self,
        error: StreamError,
    ) -> wasmtime::Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.0, error)
    }
}

impl streams::HostInputStream for Io<'_> {
    fn read(&mut self, stream: Resource<InputStream>, count: u64) -> StreamResult<Vec<u8>> {
        AsyncInput::read(self.0, stream, count)
    }

    fn blocking_read(
        &mut self,
        stream: Resource<InputStream>,
        count: u64,
    ) -> StreamResult<Vec<u8>> {
        once(AsyncInput::blocking_read(self.0, stream, count))
    }

    fn skip(&mut self, stream: Resource<InputStream>, count: u64) -> StreamResult<u64> {
        AsyncInput::skip(self.0, stream, count)
    }

    fn blocking_skip(&mut self, stream: Resource<InputStream>, count: u64) -> StreamResult<u64> {
        once(AsyncInput::blocking_skip(self.0, stream, count))
    }

    fn subscribe(
        &mut self,
        stream: Resource<InputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        AsyncInput::subscribe(self.0, stream)
    }

    fn drop(&mut self, stream: Resource<InputStream>) -> wasmtime::Result<()> {
        once_or_trap(AsyncInput::drop(self.0, stream))
    }
}

impl streams::HostOutputStream for Io<'_> {
    fn check_write(&mut self, stream: Resource<OutputStream>) -> StreamResult<u64> {
        AsyncOutput::check_write(self.0, stream)
    }

    fn write(&mut self, stream: Resource<OutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        AsyncOutput::write(self.0, stream, bytes)
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<OutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        once(AsyncOutput::blocking_write_and_flush(self.0, stream, bytes))
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<OutputStream>,
        count: u64,
    ) -> StreamResult<()> {
        once(AsyncOutput::blocking_write_zeroes_and_flush(
            self.0, stream, count,
        ))
    }

    fn subscribe(
        &mut self,
        stream: Resource<OutputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        AsyncOutput::subscribe(self.0, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<OutputStream>, count: u64) -> StreamResult<()> {
        AsyncOutput::write_zeroes(self.0, stream, count)
    }

    fn flush(&mut self, stream: Resource<OutputStream>) -> StreamResult<()> {
        AsyncOutput::flush(self.0, stream)
    }

    fn blocking_flush(&mut self, stream: Resource<OutputStream>) -> StreamResult<()> {
        once(AsyncOutput::blocking_flush(self.0, stream))
    }

    fn splice(
        &mut self,
        to: Resource<OutputStream>,
        from: Resource<InputStream>,
        count: u64,
    ) -> StreamResult<u64> {
        AsyncOutput::splice(self.0, to, from, count)
    }

    fn blocking_splice(
        &mut self,
        to: Resource<OutputStream>,
        from: Resource<InputStream>,
        count: u64,
    ) -> StreamResult<u64> {
        once(AsyncOutput::blocking_splice(self.0, to, from, count))
    }

    fn drop(&mut self, stream: Resource<OutputStream>) -> wasmtime::Result<()> {
        once_or_trap(AsyncOutput::drop(self.0, stream))
    }
}

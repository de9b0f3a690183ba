//! Body bytes.

use std::ops::Range;

use crate::bindings::proxy_wasm::plugin::http_body::{self, BodyError};
use crate::bindings::proxy_wasm::plugin::plugin_types::Direction;
use crate::error::Refused;

/// The body bytes of a message that the host shows: those of the running callback, and those that the plugin holds.
/// Each method is one call to the host, and bytes that are not read never enter the plugin.
///
/// An edit that changes the length of a message with a `content-length` corrects that field as long as the plugin
/// holds the head. Once the head has gone, such an edit ends the exchange with an error: remove `content-length` in the
/// headers callback.
///
/// Errors are the same for all methods: the stream is no more, no bytes are to be seen in this phase, a range begins
/// beyond their end, or an edit is too large.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    context: u64,
    of: Direction,
}

type BodyResult<T> = Result<T, Refused<BodyError>>;

#[expect(
    clippy::missing_errors_doc,
    reason = "the type's documentation tells them once"
)]
impl Body {
    pub(crate) fn new(context: u64, of: Direction) -> Self {
        Self { context, of }
    }

    /// Returns the number of bytes that can be read now.
    pub fn size(self) -> BodyResult<u32> {
        http_body::size(self.context, self.of).map_err(|reason| self.refused(reason))
    }

    /// Returns the bytes of a range: fewer where the body ends.
    pub fn read(self, range: Range<u32>) -> BodyResult<Vec<u8>> {
        http_body::read(self.context, self.of, range.start, count(&range))
            .map_err(|reason| self.refused(reason))
    }

    /// Returns all bytes that can be read now.
    pub fn read_all(self) -> BodyResult<Vec<u8>> {
        self.read(0..u32::MAX)
    }

    /// Puts `data` in the place of the bytes of a range, or of fewer where the body ends.
    pub fn splice(self, range: Range<u32>, data: impl AsRef<[u8]>) -> BodyResult<()> {
        http_body::splice(
            self.context,
            self.of,
            range.start,
            count(&range),
            data.as_ref(),
        )
        .map_err(|reason| self.refused(reason))
    }

    /// Puts `data` in the place of all bytes.
    pub fn replace(self, data: impl AsRef<[u8]>) -> BodyResult<()> {
        self.splice(0..u32::MAX, data)
    }

    /// Puts `data` in front.
    pub fn prepend(self, data: impl AsRef<[u8]>) -> BodyResult<()> {
        self.splice(0..0, data)
    }

    /// Puts `data` at the end.
    pub fn append(self, data: impl AsRef<[u8]>) -> BodyResult<()> {
        let size = self.size()?;
        self.splice(size..size, data)
    }

    #[cold]
    fn refused(self, reason: BodyError) -> Refused<BodyError> {
        let of = match self.of {
            Direction::Request => "the request's body",
            Direction::Response => "the response's body",
        };
        Refused::new(of, reason)
    }
}

/// A range that runs backwards is empty.
fn count(range: &Range<u32>) -> u32 {
    range.end.saturating_sub(range.start)
}

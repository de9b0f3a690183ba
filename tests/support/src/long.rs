//! Bodies too long to be held: made and checked piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame};

/// Bytes of a piece, about: what a socket gives at once.
const PIECE: usize = 64 * 1024;

/// What a long body repeats.
#[derive(Clone, Debug)]
pub struct Pattern(Bytes);

/// A body that repeats its pattern.
#[derive(Clone, Debug)]
pub struct LongBody {
    pattern: Bytes,
    at: usize,
    left: u64,
}

/// Compares what arrives with a pattern.
#[derive(Clone, Debug)]
pub struct Checker {
    pattern: Bytes,
    at: usize,
    length: u64,
    /// Where the first wrong byte was.
    wrong: Option<u64>,
}

impl Pattern {
    /// `text`, again and again. Its length is best no power of two, so that a piece lost anywhere shows.
    pub fn new(text: &str) -> Self {
        Self(text.repeat(PIECE.div_ceil(text.len())).into())
    }

    /// A body of so many bytes.
    pub fn body(&self, length: u64) -> LongBody {
        LongBody {
            pattern: self.0.clone(),
            at: 0,
            left: length,
        }
    }

    pub fn checker(&self) -> Checker {
        Checker {
            pattern: self.0.clone(),
            at: 0,
            length: 0,
            wrong: None,
        }
    }
}

impl Checker {
    /// Takes in a piece.
    pub fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && self.wrong.is_none() {
            let expected = &self.pattern[self.at..];
            let length = expected.len().min(piece.len());
            if expected[..length] != piece[..length] {
                let same = expected
                    .iter()
                    .zip(piece)
                    .take_while(|(expected, got)| expected == got);
                self.wrong = Some(self.length + same.count() as u64);
            }
            self.length += length as u64;
            self.at = (self.at + length) % self.pattern.len();
            piece.advance(length);
        }
    }

    /// The number of bytes, all of them right; else where the first wrong one was.
    pub fn finish(self) -> Result<u64, String> {
        match self.wrong {
            None => Ok(self.length),
            Some(at) => Err(format!("byte {at} is wrong")),
        }
    }
}

impl Body for LongBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = this.pattern.slice(this.at..);
        piece.truncate(usize::try_from(this.left).unwrap_or(usize::MAX));
        this.left -= piece.len() as u64;
        this.at = (this.at + piece.len()) % this.pattern.len();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}

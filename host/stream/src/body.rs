//! Body bytes that wait or are held.

use std::collections::VecDeque;
use std::mem;

use bytes::{Bytes, BytesMut};

/// Bytes. A piece below this is copied behind the one before it, so that a body that arrives byte by byte does not cost
/// a piece per byte, nor keep a whole read buffer alive for each.
const SMALL: usize = 4096;

/// A sequence of bytes in pieces. One piece, the usual case, needs no allocation and is never copied.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// None only if all is empty.
    first: Option<Bytes>,
    more: Option<Box<More>>,
    len: usize,
}

/// The pieces after the first.
#[derive(Debug, Default)]
struct More {
    pieces: VecDeque<Bytes>,
    /// The last piece, still growing; may be empty.
    tail: BytesMut,
}

impl More {
    fn pop(&mut self) -> Option<Bytes> {
        let piece = self.pieces.pop_front();
        piece.or_else(|| Some(self.tail.split().freeze()).filter(|tail| !tail.is_empty()))
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push_back(self.tail.split().freeze());
        }
    }
}

impl From<Bytes> for Body {
    #[inline]
    fn from(bytes: Bytes) -> Self {
        Self {
            len: bytes.len(),
            first: Some(bytes).filter(|bytes| !bytes.is_empty()),
            more: None,
        }
    }
}

impl Body {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds bytes at the end.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if self.is_empty() {
            *self = Self::from(bytes);
        } else if bytes.len() < SMALL {
            self.push_slice(&bytes);
        } else {
            self.len += bytes.len();
            let more = self.more.get_or_insert_default();
            more.seal();
            more.pieces.push_back(bytes);
        }
    }

    /// Adds a copy of bytes at the end.
    fn push_slice(&mut self, bytes: &[u8]) {
        if self.is_empty() || bytes.len() >= SMALL {
            self.push(Bytes::copy_from_slice(bytes));
        } else {
            self.len += bytes.len();
            self.more
                .get_or_insert_default()
                .tail
                .extend_from_slice(bytes);
        }
    }

    /// Adds another body at the end.
    pub(crate) fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            *self = other;
        } else {
            while let Some(piece) = other.pop() {
                self.push(piece);
            }
        }
    }

    /// Takes the first piece.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let piece = self.first.take()?;
        self.len -= piece.len();
        self.first = self.more.as_deref_mut().and_then(More::pop);
        if self.first.is_none() {
            self.more = None;
        }
        Some(piece)
    }

    /// Takes the first `at` bytes, or all if there are fewer.
    pub(crate) fn split_to(&mut self, at: usize) -> Self {
        let back = self.split_off(at);
        mem::replace(self, back)
    }

    /// Takes all but the first `at` bytes.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        if at >= self.len {
            return Self::default();
        }
        let mut back = mem::take(self);
        let mut missing = at;
        while missing > 0 {
            let Some(mut piece) = back.pop() else { break };
            if piece.len() > missing {
                let mut rest = Self::from(piece.split_off(missing));
                rest.append(mem::take(&mut back));
                back = rest;
            }
            missing -= piece.len();
            self.push(piece);
        }
        back
    }

    /// Puts `data` in the place of `count` bytes from `start` on. A range beyond the end is cut to it.
    pub(crate) fn splice(&mut self, start: usize, count: usize, data: &[u8]) {
        let mut back = self.split_off(start);
        if !data.is_empty() {
            self.push_slice(data);
        }
        self.append(back.split_off(count));
    }

    /// Copies up to `count` bytes from `start` on.
    pub(crate) fn read(&self, start: usize, count: usize) -> Vec<u8> {
        let mut wanted = count.min(self.len.saturating_sub(start));
        let mut skip = start;
        let mut out = Vec::with_capacity(wanted);
        for piece in self.pieces() {
            let Some(rest) = piece.get(skip..) else {
                skip -= piece.len();
                continue;
            };
            skip = 0;
            let rest = rest.get(..wanted).unwrap_or(rest);
            wanted -= rest.len();
            out.extend_from_slice(rest);
        }
        out
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let more = self.more.as_deref();
        let middle = more
            .into_iter()
            .flat_map(|more| more.pieces.iter().map(|piece| &**piece));
        self.first
            .as_deref()
            .into_iter()
            .chain(middle)
            .chain(more.map(|more| &*more.tail))
    }
}

#[cfg(test)]
mod tests;

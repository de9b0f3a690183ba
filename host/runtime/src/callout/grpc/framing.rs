//! gRPC's length-prefixed messages.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// A message with its prefix. None for one of 4 GiB or more.
pub(super) fn frame(message: &[u8]) -> Option<Bytes> {
    let length = u32::try_from(message.len()).ok()?;
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(length);
    frame.put_slice(message);
    Some(frame.freeze())
}

/// What is wrong with what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FramingError {
    /// Nobody has offered to read compressed messages.
    Compressed,
    /// Longer than the limit.
    TooLarge,
    /// The last message is not complete.
    Incomplete,
}

/// Takes messages out of a stream of bytes.
#[derive(Debug)]
pub(super) struct Deframer {
    buffer: BytesMut,
    limit: usize,
}

impl Deframer {
    /// `limit`: bytes of one message.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            limit,
        }
    }

    /// Takes bytes in.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, if it is complete.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, FramingError> {
        let Some((compressed, length)) = self.prefix() else {
            return Ok(None);
        };
        if compressed {
            return Err(FramingError::Compressed);
        }
        if length > self.limit {
            return Err(FramingError::TooLarge);
        }
        if self.buffer.len() < PREFIX + length {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    /// Whether the stream may end here.
    pub(super) fn end(&self) -> Result<(), FramingError> {
        if self.buffer.is_empty() {
            Ok(())
        } else {
            Err(FramingError::Incomplete)
        }
    }

    fn prefix(&self) -> Option<(bool, usize)> {
        let mut prefix = self.buffer.get(..PREFIX)?;
        let compressed = prefix.get_u8() != 0;
        Some((compressed, prefix.get_u32() as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_however_bytes_come_in() {
        let messages: [&[u8]; 4] = [b"one", b"", b"three", &[7; 300]];
        let stream: Vec<u8> = messages
            .iter()
            .flat_map(|message| frame(message).unwrap())
            .collect();
        for size in [1, 2, 5, 7, 1000] {
            let mut deframer = Deframer::new(300);
            let mut found = Vec::new();
            for chunk in stream.chunks(size) {
                deframer.push(chunk);
                while let Some(message) = deframer.next().unwrap() {
                    found.push(message);
                }
            }
            assert_eq!(found, messages, "chunks of {size}");
            assert_eq!(deframer.end(), Ok(()));
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let mut deframer = Deframer::new(3);
        deframer.push(&[0, 0, 0, 0, 4]);
        assert_eq!(
            deframer.next(),
            Err(FramingError::TooLarge),
            "not waited for"
        );

        let mut deframer = Deframer::new(3);
        deframer.push(&[1, 0, 0, 0, 0]);
        assert_eq!(deframer.next(), Err(FramingError::Compressed));

        let mut deframer = Deframer::new(3);
        deframer.push(&[0, 0, 0, 0, 2, 9]);
        assert_eq!(deframer.next(), Ok(None));
        assert_eq!(deframer.end(), Err(FramingError::Incomplete));
    }
}

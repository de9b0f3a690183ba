//! The serialized form of a map (ABI reference 3.1).
//!
//! `u32` number of pairs; for each, `u32` length of name and of value; for each, name, NUL, value, NUL. Numbers are
//! little-endian, nothing is aligned, lengths do not count the NULs.

use std::fmt;

/// Bytes. A longer list from a module counts as an empty one.
pub const MAX_BYTES: usize = 1024 * 1024;

/// A list of more pairs from a module counts as an empty one.
pub const MAX_PAIRS: usize = 1024;

/// Why bytes are not a serialized map.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MalformedPairs {
    /// The bytes end before the last pair.
    Truncated,
    /// A name or a value is not followed by NUL.
    MissingTerminator,
    /// There are bytes after the last pair.
    TrailingBytes,
}

impl fmt::Display for MalformedPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the serialized map ends before its last pair",
            Self::MissingTerminator => {
                "a name or value of the serialized map is not followed by NUL"
            }
            Self::TrailingBytes => "the serialized map has bytes after its last pair",
        })
    }
}

impl std::error::Error for MalformedPairs {}

/// The pairs of a serialized map, in order, borrowed from its bytes.
#[derive(Clone, Debug, Default)]
pub struct Pairs<'a> {
    /// The lengths of the pairs that are left.
    lengths: &'a [u8],
    /// Their names and values.
    texts: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// Checks bytes of any size; empty ones are an empty map.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, MalformedPairs> {
        let pairs = Self::split(bytes).ok_or(MalformedPairs::Truncated)?;
        pairs.check()?;
        Ok(pairs)
    }

    /// Takes bytes that were encoded by a friend, without a look at each pair. Malformed ones are a shorter map.
    #[inline]
    pub fn trusted(bytes: &'a [u8]) -> Self {
        Self::split(bytes).unwrap_or_default()
    }

    #[inline]
    fn split(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let (count, rest) = bytes.split_first_chunk()?;
        // In 64 bits, because a count of 2^29 would wrap to 0 in the shim's 32.
        let lengths = usize::try_from(u64::from(u32::from_le_bytes(*count)) * 8).ok()?;
        let (lengths, texts) = rest.split_at_checked(lengths)?;
        Some(Self { lengths, texts })
    }

    fn check(&self) -> Result<(), MalformedPairs> {
        let mut rest = self.texts;
        for length in self.lengths.as_chunks::<4>().0 {
            let length = usize::try_from(u32::from_le_bytes(*length))
                .map_err(|_| MalformedPairs::Truncated)?;
            let (_, tail) = rest
                .split_at_checked(length)
                .ok_or(MalformedPairs::Truncated)?;
            let (terminator, tail) = tail.split_first().ok_or(MalformedPairs::Truncated)?;
            if *terminator != 0 {
                return Err(MalformedPairs::MissingTerminator);
            }
            rest = tail;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(MalformedPairs::TrailingBytes)
        }
    }

    /// Returns the value of the first pair of this name, which is compared without case. The lengths tell most other
    /// names apart, so that their texts are not looked at.
    #[must_use]
    pub fn first_value(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut at = 0;
        for pair in self.lengths.as_chunks::<8>().0 {
            // In 64 bits, where no sum of lengths wraps.
            let lengths = u64::from_le_bytes(*pair);
            let (name_length, value_length) = (lengths & u64::from(u32::MAX), lengths >> 32);
            let value_at = at + name_length + 1;
            let end = value_at + value_length;
            if name_length == name.len() as u64
                && self.text(at, at + name_length)?.eq_ignore_ascii_case(name)
            {
                return self.text(value_at, end);
            }
            at = end + 1;
        }
        None
    }

    fn text(&self, start: u64, end: u64) -> Option<&'a [u8]> {
        self.texts
            .get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }

    #[inline]
    fn take_text(&mut self) -> Option<&'a [u8]> {
        let (length, lengths) = self.lengths.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (text, rest) = self.texts.split_at_checked(length)?;
        (self.lengths, self.texts) = (lengths, rest.get(1..)?);
        Some(text)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.take_text()?, self.take_text()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.lengths.len() / 8;
        (count, Some(count))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

/// Reads a map that a module hands over, as H does: what is malformed, longer than [`MAX_BYTES`] or has more than
/// [`MAX_PAIRS`] pairs is an empty map, not an error.
pub fn decode(bytes: &[u8]) -> Pairs<'_> {
    if bytes.len() > MAX_BYTES {
        return Pairs::default();
    }
    match Pairs::parse(bytes) {
        Ok(pairs) if pairs.len() <= MAX_PAIRS => pairs,
        Ok(_) | Err(_) => Pairs::default(),
    }
}

/// Serializes a map. An empty map is four zero bytes; hosts hand it over as a null pointer instead.
pub fn encode<N, V>(pairs: impl IntoIterator<Item = (N, V), IntoIter: Clone>) -> Vec<u8>
where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let mut bytes = Vec::new();
    encode_into(&mut bytes, pairs);
    bytes
}

/// Serializes a map behind what `bytes` holds. See [`encode`].
///
/// # Panics
///
/// If there are 2^32 pairs, or a name or value has that many bytes.
pub fn encode_into<N, V>(
    bytes: &mut Vec<u8>,
    pairs: impl IntoIterator<Item = (N, V), IntoIter: Clone>,
) where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let pairs = pairs.into_iter();
    let (mut count, mut size) = (0, 4);
    for (name, value) in pairs.clone() {
        count += 1;
        size += 8 + name.as_ref().len() + 1 + value.as_ref().len() + 1;
    }
    bytes.reserve(size);
    push_length(bytes, count);
    for (name, value) in pairs.clone() {
        push_length(bytes, name.as_ref().len());
        push_length(bytes, value.as_ref().len());
    }
    for (name, value) in pairs {
        bytes.extend_from_slice(name.as_ref());
        bytes.push(0);
        bytes.extend_from_slice(value.as_ref());
        bytes.push(0);
    }
}

#[expect(
    clippy::expect_used,
    reason = "documented panic; memory of 32 bits cannot reach it"
)]
fn push_length(bytes: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("a length in a serialized map is below 2^32");
    bytes.extend_from_slice(&length.to_le_bytes());
}

#[cfg(test)]
mod tests;

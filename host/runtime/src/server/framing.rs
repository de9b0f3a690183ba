//! Reads along with hyper to see how requests are framed on the wire.
//!
//! hyper settles contradictions before anybody sees them: it drops `content-length` beside `transfer-encoding`, and all
//! but one of several equal `content-length` fields (RFC 9112, 6.3, allows both). Another server on the way may settle
//! them otherwise and see other requests in the same bytes, so this proxy refuses them. For that the scanner follows
//! the boundaries of messages and looks at the two fields, nothing more. It also knows whether the client is in the
//! middle of a head, which hyper does not tell either.
//!
//! The scanner decides about nothing but refusal. Should it lose its way, hyper's rules still hold.

use std::mem;

use memchr::memchr;

use super::intermediary::Rejection;

/// Bytes. A chunk size line or trailer line longer than this is not followed further; hyper refuses far less.
const MAX_BODY_LINE: usize = 64 * 1024;

/// Follows the bytes that a client sends on one connection.
#[derive(Debug)]
pub(super) struct RequestScanner {
    state: State,
    /// The beginning of a line whose end has not been read.
    partial: Vec<u8>,
    max_head_bytes: usize,
    head_bytes: usize,
    /// Of the head in progress.
    fields: FramingFields,
    /// Heads completed.
    heads: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a request line; empty lines are skipped.
    RequestLine,
    FieldLine,
    /// So many bytes of a body with `content-length`.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk and the line end after it.
    Chunk(u64),
    TrailerLine,
    Http2,
    /// Something that hyper refuses, or something that this scanner has found a reason to.
    Blind,
}

#[derive(Debug, Default)]
struct FramingFields {
    content_lengths: usize,
    content_length: Option<u64>,
    transfer_encoding: bool,
}

/// A request that must be refused: the how-manieth of the connection, counted from 1, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) request: u64,
    pub(super) rejection: Rejection,
}

impl RequestScanner {
    /// Begins before the first request of a connection.
    pub(super) fn new(max_head_bytes: usize) -> Self {
        Self {
            state: State::RequestLine,
            partial: Vec::new(),
            max_head_bytes,
            head_bytes: 0,
            fields: FramingFields::default(),
            heads: 0,
        }
    }

    /// True if a head has begun and not ended; `None` in HTTP/2, whose heads are not followed.
    pub(super) fn is_in_head(&self) -> Option<bool> {
        match self.state {
            State::RequestLine => Some(!self.partial.is_empty()),
            State::FieldLine => Some(true),
            State::Body(_)
            | State::ChunkSize
            | State::Chunk(_)
            | State::TrailerLine
            | State::Blind => Some(false),
            State::Http2 => None,
        }
    }

    /// True if the client has sent nothing beyond the end of a message.
    pub(super) fn is_between_messages(&self) -> bool {
        self.state == State::RequestLine && self.partial.is_empty()
    }

    /// Takes what was read. A refusal is the last thing it finds.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Option<Refusal> {
        while !bytes.is_empty() && !matches!(self.state, State::Http2 | State::Blind) {
            bytes = match self.state {
                State::Body(left) => {
                    let (left, rest) = skip(left, bytes);
                    self.state = if left == 0 {
                        State::RequestLine
                    } else {
                        State::Body(left)
                    };
                    rest
                }
                State::Chunk(left) => {
                    let (left, rest) = skip(left, bytes);
                    self.state = if left == 0 {
                        State::ChunkSize
                    } else {
                        State::Chunk(left)
                    };
                    rest
                }
                State::RequestLine
                | State::FieldLine
                | State::ChunkSize
                | State::TrailerLine
                | State::Http2
                | State::Blind => {
                    let Some(end) = memchr(b'\n', bytes) else {
                        self.partial.extend_from_slice(bytes);
                        return self.check_size();
                    };
                    let (line, rest) = bytes.split_at_checked(end + 1)?;
                    let refusal = if self.partial.is_empty() {
                        self.take_line(line)
                    } else {
                        let mut whole = mem::take(&mut self.partial);
                        whole.extend_from_slice(line);
                        self.take_line(&whole)
                    };
                    if refusal.is_some() {
                        self.state = State::Blind;
                        return refusal;
                    }
                    rest
                }
            };
        }
        None
    }

    fn refuse(&self, rejection: Rejection) -> Option<Refusal> {
        let request = self.heads + 1;
        Some(Refusal { request, rejection })
    }

    /// Takes a line with its end.
    fn take_line(&mut self, line: &[u8]) -> Option<Refusal> {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        match self.state {
            State::RequestLine if content.is_empty() => {}
            State::RequestLine if content.starts_with(b"PRI * HTTP/2") => self.state = State::Http2,
            State::RequestLine => {
                self.head_bytes = line.len();
                self.fields = FramingFields::default();
                self.state = State::FieldLine;
                return self.check_size();
            }
            State::FieldLine if content.is_empty() => return self.end_head(),
            State::FieldLine => {
                self.head_bytes += line.len();
                self.fields.note(content);
                return self.check_size();
            }
            State::ChunkSize => {
                self.state = match chunk_size(content) {
                    Some(0) => State::TrailerLine,
                    Some(size) => State::Chunk(size.saturating_add(2)),
                    None => State::Blind,
                };
            }
            State::TrailerLine if content.is_empty() => self.state = State::RequestLine,
            State::TrailerLine | State::Body(_) | State::Chunk(_) | State::Http2 | State::Blind => {
            }
        }
        None
    }

    fn check_size(&mut self) -> Option<Refusal> {
        match self.state {
            State::RequestLine | State::FieldLine => {
                if self.head_bytes + self.partial.len() > self.max_head_bytes {
                    let refusal = self.refuse(Rejection::HEAD_TOO_LARGE);
                    self.go_blind();
                    return refusal;
                }
            }
            State::ChunkSize | State::TrailerLine => {
                if self.partial.len() > MAX_BODY_LINE {
                    self.go_blind();
                }
            }
            State::Body(_) | State::Chunk(_) | State::Http2 | State::Blind => {}
        }
        None
    }

    fn go_blind(&mut self) {
        self.state = State::Blind;
        self.partial = Vec::new();
    }

    fn end_head(&mut self) -> Option<Refusal> {
        let fields = &self.fields;
        if fields.transfer_encoding && fields.content_lengths > 0 {
            return self.refuse(Rejection::TWO_FRAMINGS);
        }
        if fields.content_lengths > 1 {
            return self.refuse(Rejection::REPEATED_LENGTH);
        }
        self.state = match fields {
            FramingFields {
                transfer_encoding: true,
                ..
            } => State::ChunkSize,
            FramingFields {
                content_lengths: 0, ..
            }
            | FramingFields {
                content_length: Some(0),
                ..
            } => State::RequestLine,
            FramingFields {
                content_length: Some(length),
                ..
            } => State::Body(*length),
            FramingFields {
                content_length: None,
                ..
            } => State::Blind,
        };
        self.head_bytes = 0;
        self.heads += 1;
        None
    }
}

impl FramingFields {
    fn note(&mut self, line: &[u8]) {
        // Few names begin with these letters; the others cost one comparison.
        let initial = line.first().map(u8::to_ascii_lowercase);
        if initial == Some(b'c') {
            if let Some(value) = value_of(line, b"content-length:") {
                self.content_lengths += 1;
                self.content_length = decimal(value);
            }
        } else if initial == Some(b't') {
            self.transfer_encoding |= value_of(line, b"transfer-encoding:").is_some();
        }
    }
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The size in a chunk's first line, extensions aside.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line
        .iter()
        .position(|byte| !byte.is_ascii_hexdigit())
        .unwrap_or(line.len());
    let digits = std::str::from_utf8(line.get(..end)?).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

/// Skips up to `left` bytes; returns how many are still to be skipped, and what follows.
fn skip(left: u64, bytes: &[u8]) -> (u64, &[u8]) {
    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    (left - here as u64, bytes.get(here..).unwrap_or_default())
}

#[cfg(test)]
mod tests;

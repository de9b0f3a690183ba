//! Arguments of calls.

use std::fmt;

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A number.
    Number(i64),
    /// An address so many bytes after (before) the end of the plugin's memory.
    FromEnd(i64),
    /// Bytes in memory: address and length.
    Bytes(Vec<u8>),
    /// Bytes in memory: their address only.
    Address(Vec<u8>),
    /// A list of pieces of memory, as WASI has it: address and count.
    Pieces(Vec<Vec<u8>>),
    /// Room for address and length of bytes: two addresses.
    OutBytes,
    /// Room for a number, which later calls of this plugin can name: an address.
    OutU32(Option<String>),
    /// Room for a number: an address.
    OutU64,
    /// So many bytes of room: an address.
    Room(u32),
    /// A number that an earlier call was given.
    Saved(String),
}

impl Arg {
    /// Reads the form that `Display` writes.
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(digits) = word.strip_prefix('x') {
            return Some(Self::Bytes(unhex(digits)?));
        }
        if let Some(digits) = word.strip_prefix('&') {
            return Some(Self::Address(unhex(digits)?));
        }
        if let Some(pieces) = word.strip_prefix('[') {
            let pieces = pieces.strip_suffix(']')?;
            if pieces.is_empty() {
                return Some(Self::Pieces(Vec::new()));
            }
            return Some(Self::Pieces(
                pieces.split(',').map(unhex).collect::<Option<_>>()?,
            ));
        }
        if let Some(name) = word.strip_prefix('$') {
            return Some(Self::Saved(name.to_owned()));
        }
        if let Some(offset) = word.strip_prefix("end") {
            return Some(Self::FromEnd(offset.parse().ok()?));
        }
        if let Some(size) = word.strip_prefix("room") {
            return Some(Self::Room(size.parse().ok()?));
        }
        Some(match word {
            "out" => Self::OutBytes,
            "u32" => Self::OutU32(None),
            "u64" => Self::OutU64,
            _ => match word.strip_prefix("u32>") {
                Some(name) => Self::OutU32(Some(name.to_owned())),
                None => Self::Number(word.parse().ok()?),
            },
        })
    }
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::FromEnd(offset) => write!(f, "end{offset:+}"),
            Self::Bytes(bytes) => write!(f, "x{}", hex(bytes)),
            Self::Address(bytes) => write!(f, "&{}", hex(bytes)),
            Self::Pieces(pieces) => {
                let pieces: Vec<_> = pieces.iter().map(|piece| hex(piece)).collect();
                write!(f, "[{}]", pieces.join(","))
            }
            Self::OutBytes => f.write_str("out"),
            Self::OutU32(None) => f.write_str("u32"),
            Self::OutU32(Some(name)) => write!(f, "u32>{name}"),
            Self::OutU64 => f.write_str("u64"),
            Self::Room(size) => write!(f, "room{size}"),
            Self::Saved(name) => write!(f, "${name}"),
        }
    }
}

/// Bytes as digits.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Digits as bytes.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

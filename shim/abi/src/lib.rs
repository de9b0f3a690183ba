//! Types, numbers and codecs of the Proxy-Wasm ABI 0.1.0, 0.2.0 and 0.2.1. No I/O, no WebAssembly.
//!
//! The shim translates with them, the linker checks modules against the [tables](hostcall), and the runtime speaks of
//! the same numbers. Section numbers in these pages are those of `docs/abi.md`.
//!
//! ```
//! use proxy_wasi_abi::{Status, pairs};
//!
//! let bytes = pairs::encode([("a", "1"), ("bc", "")]);
//! assert_eq!(bytes.len(), 4 + 2 * 8 + 4 + 4);
//! let names: Vec<&[u8]> = pairs::decode(&bytes).map(|(name, _)| name).collect();
//! assert_eq!(names, [b"a".as_slice(), b"bc".as_slice()]);
//! assert_eq!(u32::from(Status::CasMismatch), 8);
//! ```
#![forbid(unsafe_code)]

mod numbers;

pub mod action;
pub mod callback;
pub mod hostcall;
pub mod pairs;
pub mod property;
pub mod signature;
pub mod wasi;

pub use numbers::{
    AbiVersion, BufferType, HeaderMapType, LogLevel, MetricType, Status, StreamType, UnknownNumber,
};

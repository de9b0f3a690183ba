//! Types, numbers and codecs of the Proxy-Wasm ABI 0.1.0, 0.2.0 and 0.2.1. No I/O, no WebAssembly.
#![forbid(unsafe_code)]

pub mod callback;

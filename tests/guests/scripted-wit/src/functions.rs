//! The functions that a script can name, on the contract.

mod buffers;
mod callouts;
mod header_maps;
mod integration;
mod metrics;
mod properties;
mod shared;
mod streams;

use conformance_script::Answer;

use crate::bindings::proxy_wasm::plugin::plugin_types::Direction;
use crate::machine::{Context, Value};

/// The answer to a call, and the number in it that a script may name.
type Answered = (Answer, Option<i64>);

/// A refusal, by the contract's name.
macro_rules! named {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Some((Answer::status(error.name()), None)),
        }
    };
}
use named;

/// Calls a function.
pub(crate) fn call(context: Context, function: &str, args: &[Value]) -> Answered {
    header_maps::call(context, function, args)
        .or_else(|| buffers::call(context, function, args))
        .or_else(|| streams::call(context, function, args))
        .or_else(|| properties::call(context, function, args))
        .or_else(|| shared::call(context, function, args))
        .or_else(|| metrics::call(function, args))
        .or_else(|| callouts::call(context, function, args))
        .or_else(|| integration::call(context, function, args))
        .unwrap_or_else(|| {
            let unknown = format!("unknown-function-{}", args.len());
            (Answer::status(unknown), None)
        })
}

/// The number of the context's stream. Without one it is a number that is none, which functions of streams refuse.
fn stream_of(context: Context) -> u64 {
    context.stream.unwrap_or(u64::MAX >> 11)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn message(number: i64) -> Direction {
    match number {
        0 => Direction::Request,
        _ => Direction::Response,
    }
}

/// The pairs of a serialized map.
fn pairs(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    let mut pairs = Vec::new();
    let count = word(0).unwrap_or(0);
    let mut at = 4 + 8 * count;
    for pair in 0..count {
        let (Some(name), Some(value)) = (word(4 + 8 * pair), word(8 + 8 * pair)) else {
            break;
        };
        let mut take = |len: usize| {
            let taken = bytes.get(at..at + len).unwrap_or_default().to_vec();
            at += len + 1;
            taken
        };
        pairs.push((text(&take(name)), take(value)));
    }
    pairs
}

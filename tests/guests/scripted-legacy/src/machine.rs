//! Calls of a script on the raw ABI.

use std::collections::HashMap;

use conformance_script::{Answer, Arg, Machine};

use crate::allocator::{any_room, set_mood, take_calls};
use crate::functions::{Called, call};

/// What room for results is filled with, so that one sees whether anybody wrote to it.
const UNWRITTEN: u8 = 0xee;
const UNWRITTEN_U32: u32 = u32::from_ne_bytes([UNWRITTEN; 4]);
const UNWRITTEN_U64: u64 = u64::from_ne_bytes([UNWRITTEN; 8]);

/// The raw ABI.
pub(crate) struct Raw;

/// Room for a result, to be looked at after the call.
enum Room {
    Bytes(u32, u32),
    U32(u32, Option<String>),
    U64(u32),
    Memory(u32, u32),
}

/// Logs a line at level info.
pub(crate) fn log(line: &str) {
    call("log", &[2, address(line.as_bytes()), line.len() as i64]);
}

/// The plugin's configuration, while the root context is created.
pub(crate) fn configuration() -> String {
    let (at, len) = (unwritten(4), unwritten(4));
    call("get_buffer_bytes", &[7, 0, -1, at.into(), len.into()]);
    let bytes = match load_u32(at) {
        0 | UNWRITTEN_U32 => Vec::new(),
        at => load(at, load_u32(len)),
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Machine for Raw {
    fn call(&mut self, function: &str, args: &[Arg], saved: &HashMap<String, i64>) -> Answer {
        match (function, args) {
            ("trap", []) => core::arch::wasm32::unreachable(),
            ("spin", []) => loop {
                core::hint::spin_loop();
            },
            ("allocator", [Arg::Bytes(mood)]) => {
                return Answer::status(if set_mood(mood) { "0" } else { "unknown-mood" });
            }
            ("allocations", []) => {
                let (malloc, other) = take_calls();
                return Answer::status(0).number(malloc).number(other);
            }
            _ => {}
        }
        let mut params = Vec::new();
        let mut rooms = Vec::new();
        for arg in args {
            match arg {
                Arg::Number(number) => params.push(*number),
                Arg::FromEnd(offset) => params.push(memory_size() + offset),
                Arg::Bytes(bytes) => params.extend([address(bytes), bytes.len() as i64]),
                Arg::Address(bytes) => params.push(address(bytes)),
                Arg::Pieces(pieces) => {
                    let list: Vec<u8> = pieces
                        .iter()
                        .flat_map(|piece| {
                            let at = address(piece.clone().leak()) as u32;
                            [at.to_le_bytes(), (piece.len() as u32).to_le_bytes()].concat()
                        })
                        .collect();
                    params.extend([address(list.leak()), pieces.len() as i64]);
                }
                Arg::OutBytes => {
                    let (at, len) = (unwritten(4), unwritten(4));
                    params.extend([i64::from(at), i64::from(len)]);
                    rooms.push(Room::Bytes(at, len));
                }
                Arg::OutU32(name) => {
                    let at = unwritten(4);
                    params.push(at.into());
                    rooms.push(Room::U32(at, name.clone()));
                }
                Arg::OutU64 => {
                    let at = unwritten(8);
                    params.push(at.into());
                    rooms.push(Room::U64(at));
                }
                Arg::Room(len) => {
                    let at = unwritten(*len);
                    params.push(at.into());
                    rooms.push(Room::Memory(at, *len));
                }
                Arg::Saved(name) => match saved.get(name) {
                    Some(number) => params.push(*number),
                    None => return Answer::status("not-saved"),
                },
            }
        }
        let answer = match call(function, &params) {
            Called::Answered(status) => Answer::status(status),
            Called::Unknown => return Answer::status("unknown-function"),
            Called::Arity(arity) => {
                return Answer::status(format!("takes-{arity}-parameters-not-{}", params.len()));
            }
        };
        rooms
            .into_iter()
            .fold(answer, |answer, room| room.show(answer))
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

impl Room {
    fn show(self, mut answer: Answer) -> Answer {
        match self {
            Self::Bytes(at, len) => match (load_u32(at), load_u32(len)) {
                (UNWRITTEN_U32, UNWRITTEN_U32) => answer.word("unwritten"),
                (0, 0) => answer.word("null"),
                (at, len) if i64::from(at) + i64::from(len) > memory_size() => {
                    answer.word(format!("wild:{at}:{len}"))
                }
                (at, len) => answer.bytes(&load(at, len)),
            },
            Self::U32(at, name) => match load_u32(at) {
                UNWRITTEN_U32 => answer.word("unwritten"),
                number => {
                    answer.saved.extend(name.map(|name| (name, number.into())));
                    answer.number(number)
                }
            },
            Self::U64(at) => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&load(at, 8));
                match u64::from_le_bytes(bytes) {
                    UNWRITTEN_U64 => answer.word("unwritten"),
                    number => answer.number(number),
                }
            }
            Self::Memory(at, len) => {
                let bytes = load(at, len);
                if bytes.iter().all(|byte| *byte == UNWRITTEN) {
                    answer.word("unwritten")
                } else {
                    answer.bytes(&bytes)
                }
            }
        }
    }
}

fn address(bytes: &[u8]) -> i64 {
    // Empty slices have an address of their own, which is what Rust plugins pass.
    bytes.as_ptr() as u32 as i64
}

fn unwritten(len: u32) -> u32 {
    let at = any_room(len);
    // SAFETY: the room was just made.
    unsafe { (at as *mut u8).write_bytes(UNWRITTEN, len as usize) };
    at
}

fn load(at: u32, len: u32) -> Vec<u8> {
    // SAFETY: callers have checked that the range lies within the memory.
    unsafe { std::slice::from_raw_parts(at as *const u8, len as usize) }.to_vec()
}

fn load_u32(at: u32) -> u32 {
    // SAFETY: the room is this module's own.
    unsafe { (at as *const u32).read_unaligned() }
}

fn memory_size() -> i64 {
    core::arch::wasm32::memory_size::<0>() as i64 * 65_536
}

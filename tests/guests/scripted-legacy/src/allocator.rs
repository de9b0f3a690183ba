//! What the host asks for memory with, in all its moods.

use std::cell::Cell;

use crate::functions;
use crate::machine::log;

/// How the allocator behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Honest,
    Null,
    Wild,
    Traps,
    CallsBack,
    Grows,
    Exits,
}

thread_local! {
    static MOOD: Cell<Mood> = const { Cell::new(Mood::Honest) };
    /// Since it was last asked: calls of `malloc`, and of the other.
    static CALLS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// Sets the mood by name.
pub(crate) fn set_mood(name: &[u8]) -> bool {
    let mood = match name {
        b"honest" => Mood::Honest,
        b"null" => Mood::Null,
        b"wild" => Mood::Wild,
        b"traps" => Mood::Traps,
        b"calls back" => Mood::CallsBack,
        b"grows" => Mood::Grows,
        b"exits" => Mood::Exits,
        _ => return false,
    };
    MOOD.set(mood);
    true
}

/// How often each was called since this was last asked.
pub(crate) fn take_calls() -> (u32, u32) {
    CALLS.take()
}

#[unsafe(no_mangle)]
extern "C" fn any_malloc(len: u32) -> u32 {
    let (malloc, other) = CALLS.get();
    CALLS.set((malloc + 1, other));
    allocate(len)
}

#[unsafe(no_mangle)]
extern "C" fn any_proxy_on_memory_allocate(len: u32) -> u32 {
    let (malloc, other) = CALLS.get();
    CALLS.set((malloc, other + 1));
    allocate(len)
}

fn allocate(len: u32) -> u32 {
    if len == 0 {
        log("[[=0 allocated-nothing]]");
    }
    match MOOD.get() {
        Mood::Honest => {}
        Mood::Null => return 0,
        Mood::Wild => return u32::MAX - 3,
        Mood::Traps => core::arch::wasm32::unreachable(),
        Mood::CallsBack => {
            MOOD.set(Mood::Honest);
            functions::call("get_header_map_size", &[0, i64::from(any_room(4))]);
            log("in the allocator");
            MOOD.set(Mood::CallsBack);
        }
        Mood::Grows => {
            core::arch::wasm32::memory_grow::<0>(64);
        }
        Mood::Exits => {
            functions::call("wasi.proc_exit", &[3]);
        }
    }
    any_room(len)
}

/// Memory that is never given back.
pub(crate) fn any_room(len: u32) -> u32 {
    let room = vec![0_u8; len as usize].leak();
    room.as_mut_ptr() as u32
}

//! A legacy module that makes the calls of a script, raw: any address, any number.
//!
//! It exports the markers of all versions, both allocators and several start functions under names with `any_` in
//! front; tests give those that they want the names that count.
#![expect(
    clippy::cast_possible_truncation,
    reason = "parameters of the ABI are halves of a script's numbers"
)]
#![expect(
    unsafe_code,
    reason = "the raw ABI is made of addresses; tests need wrong ones"
)]

mod allocator;
mod callbacks;
mod functions;
mod machine;

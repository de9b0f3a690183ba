//! A component that makes the calls of a script: those of a legacy module, as far as the contract has them.
//!
//! Calls have the legacy functions' names and numbers, so that one script runs in both kinds of plugin; a refusal is the
//! contract's name for it.
#![expect(
    clippy::cast_possible_truncation,
    reason = "parameters are halves of a script's numbers"
)]
#![expect(unsafe_code, reason = "what the bindings' macro makes of the exports")]

mod bindings;
mod callbacks;
mod functions;
mod machine;

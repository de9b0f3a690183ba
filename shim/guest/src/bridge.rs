//! The legacy module: its memory, its exports, and how it ended.
//!
//! In a component these are functions that the linker generates into this module in the place of placeholder imports.
//! Natively, for unit tests, they are a simulation.

#[cfg(target_arch = "wasm32")]
mod linked;
#[cfg(not(target_arch = "wasm32"))]
mod simulated;

#[cfg(target_arch = "wasm32")]
pub(crate) use linked::*;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use simulated::*;

//! A small shim for tests: see `tests/shim/shim.wat`.
#![expect(clippy::expect_used, reason = "a test that panics has failed")]

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The shim's text.
pub(crate) const TEXT: &str = include_str!("../shim/shim.wat");

/// The shim, with its world embedded.
pub(crate) fn test_shim() -> Vec<u8> {
    assemble(TEXT)
}

/// A variant of the shim, with its world embedded.
pub(crate) fn assemble(text: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("world.wit", include_str!("../shim/world.wit"))
        .expect("world.wit parses");
    let world = resolve
        .select_world(&[package], None)
        .expect("world.wit has one world");
    let mut shim = wat::parse_str(text).expect("the shim assembles");
    embed_component_metadata(&mut shim, &resolve, world, StringEncoding::UTF8)
        .expect("the world fits into the shim");
    shim
}

//! A small shim for tests: see `tests/shim/shim.wat`.
#![expect(clippy::expect_used, reason = "a test that panics has failed")]

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Assembles the shim and embeds its world.
pub(crate) fn test_shim() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("world.wit", include_str!("../shim/world.wit"))
        .expect("world.wit parses");
    let world = resolve
        .select_world(&[package], None)
        .expect("world.wit has one world");
    let mut shim = wat::parse_str(include_str!("../shim/shim.wat")).expect("shim.wat assembles");
    embed_component_metadata(&mut shim, &resolve, world, StringEncoding::UTF8)
        .expect("the world fits into the shim");
    shim
}

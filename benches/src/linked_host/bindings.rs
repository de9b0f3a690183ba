//! What `wit/` says, as Rust. Generated, nothing else.

#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated code"
)]
#![expect(
    clippy::allow_attributes,
    reason = "generated code triggers only some of these lints"
)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "http-filter-plugin",
});

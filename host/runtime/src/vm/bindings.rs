//! What `wit/` says, as Rust. Generated, nothing else.
#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated code"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "http-plugin-traced",
    imports: { "wasi:random/random": trappable },
});

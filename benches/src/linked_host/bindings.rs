//! What `wit/` says, as Rust. Generated, nothing else.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "http-filter-plugin",
});

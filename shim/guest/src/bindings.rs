//! The host, as the contract describes it, and the traits of what the host calls.

wit_bindgen::generate!({
    world: "proxy-wasi:shim/shim",
    path: ["../../wit", "wit"],
    generate_all,
    disable_run_ctors_once_workaround: true,
});

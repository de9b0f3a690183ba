//! The host, as the contract describes it, and the traits of what the host calls.

#[cfg(not(feature = "trace"))]
wit_bindgen::generate!({
    world: "proxy-wasi:shim/shim",
    path: ["../../wit", "wit"],
    generate_all,
    disable_run_ctors_once_workaround: true,
});

#[cfg(feature = "trace")]
wit_bindgen::generate!({
    world: "proxy-wasi:shim/tracing-shim",
    path: ["../../wit", "wit"],
    generate_all,
    disable_run_ctors_once_workaround: true,
});

//! The host, as the contract describes it, and the traits of what the host calls.

/// Bindings of one of the shim's worlds.
macro_rules! generate {
    ($world:literal) => {
        wit_bindgen::generate!({
            world: $world,
            path: ["../../wit", "wit"],
            generate_all,
            disable_run_ctors_once_workaround: true,
        });
    };
}

#[cfg(not(feature = "trace"))]
generate!("proxy-wasi:shim/shim");

#[cfg(feature = "trace")]
generate!("proxy-wasi:shim/tracing-shim");

//! The contract.

wit_bindgen::generate!({
    world: "http-plugin",
    path: "../../../wit",
    generate_all,
});

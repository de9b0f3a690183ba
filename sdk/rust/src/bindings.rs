//! What `wit-bindgen` makes of `proxy-wasm:plugin`, for what the rest of this crate does not wrap.
#![expect(missing_docs, reason = "the contract says what there is to say")]

wit_bindgen::generate!({
    path: "wit",
    world: "http-plugin",
    generate_all,
    ownership: Borrowing { duplicate_if_necessary: false },
    additional_derives: [PartialEq],
    pub_export_macro: true,
});

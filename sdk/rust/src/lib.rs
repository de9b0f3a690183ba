//! sdk
#![allow(missing_docs)]
wit_bindgen::generate!({ path: "wit", world: "http-plugin", generate_all, pub_export_macro: true });

//! Builds the plugins that tests serve.

use proxy_wasi_guest_builder::GuestBuild;

/// Packages and their targets: legacy modules as the Rust SDK's users build them, components as ours do.
const GUESTS: &[(&str, &str)] = &[
    ("conformance-scripted-legacy", "wasm32-unknown-unknown"),
    ("conformance-scripted-wit", "wasm32-wasip2"),
    ("legacy-enemy", "wasm32-wasip1"),
    ("legacy-bodies", "wasm32-wasip1"),
    ("legacy-callout", "wasm32-wasip1"),
    ("legacy-events", "wasm32-wasip1"),
    ("legacy-observe", "wasm32-wasip1"),
    ("legacy-rust-auth", "wasm32-wasip1"),
    ("legacy-rust-body", "wasm32-wasip1"),
    ("legacy-rust-config", "wasm32-wasip1"),
    ("legacy-rust-headers", "wasm32-wasip1"),
    ("wit-enemy", "wasm32-wasip2"),
    ("wit-bodies", "wasm32-wasip2"),
    ("wit-callout", "wasm32-wasip2"),
    ("wit-events", "wasm32-wasip2"),
    ("wit-observe", "wasm32-wasip2"),
    ("wit-rust-auth", "wasm32-wasip2"),
    ("wit-rust-body", "wasm32-wasip2"),
    ("wit-rust-config", "wasm32-wasip2"),
    ("wit-rust-headers", "wasm32-wasip2"),
];

fn main() {
    for (package, target) in GUESTS {
        let wasm = GuestBuild::new(*package).target(*target).build();
        let name = package.replace('-', "_").to_uppercase();
        println!("cargo::rustc-env=GUEST_{name}={}", wasm.display());
    }
    // The enemies, as their authors build them who want to know where they trap.
    for (package, target) in [
        ("legacy-enemy", "wasm32-wasip1"),
        ("wit-enemy", "wasm32-wasip2"),
    ] {
        let wasm = GuestBuild::new(package)
            .target(target)
            .profile("guest-lines")
            .build();
        let name = package.replace('-', "_").to_uppercase();
        println!("cargo::rustc-env=GUEST_{name}_LINES={}", wasm.display());
    }
    // The module for the other target that the Rust SDK supports: no WASI, `malloc`.
    let wasm = GuestBuild::new("legacy-rust-headers")
        .target("wasm32-unknown-unknown")
        .build();
    println!(
        "cargo::rustc-env=GUEST_LEGACY_RUST_HEADERS_UNKNOWN={}",
        wasm.display()
    );
}

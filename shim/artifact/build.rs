//! Builds the shim and tells the crate where it is.
use proxy_wasi_guest_builder::GuestBuild;

fn main() {
    let shim = GuestBuild::new("proxy-wasi-shim").build();
    println!("cargo::rustc-env=PROXY_WASI_SHIM={}", shim.display());
    let tracing = GuestBuild::new("proxy-wasi-shim").feature("trace").build();
    println!(
        "cargo::rustc-env=PROXY_WASI_TRACING_SHIM={}",
        tracing.display()
    );
}

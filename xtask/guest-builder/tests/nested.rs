//! A workspace whose one crate embeds the other, built by the real cargo.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const ROOT: &str = r#"
[workspace]
members = ["outer", "guest", "helper"]
resolver = "3"

[profile.guest]
inherits = "release"
panic = "abort"
"#;

const OUTER: &str = r#"
[package]
name = "outer"
edition = "2024"

[build-dependencies]
proxy-wasi-guest-builder = { path = "BUILDER" }
"#;

const GUEST: &str = r#"
[package]
name = "the-guest"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
helper = { path = "../helper" }
"#;

const HELPER: &str = r#"
[package]
name = "helper"
edition = "2024"
"#;

const GUEST_SOURCE: &str = r#"
#[cfg(outer_build)]
compile_error!("a flag of the outer build has come in");

#[unsafe(no_mangle)]
pub extern "C" fn answer() -> u32 {
    helper::ANSWER
}
"#;

struct Workspace(TempDir);

impl Workspace {
    fn new(build_script: &str) -> Self {
        let workspace = Self(tempfile::tempdir().unwrap());
        workspace.write("Cargo.toml", ROOT);
        workspace.write(
            "outer/Cargo.toml",
            &OUTER.replace("BUILDER", env!("CARGO_MANIFEST_DIR")),
        );
        workspace.write("outer/build.rs", build_script);
        workspace.write(
            "outer/src/lib.rs",
            r#"pub const GUEST: &[u8] = include_bytes!(env!("GUEST"));"#,
        );
        workspace.write("guest/Cargo.toml", GUEST);
        workspace.write("guest/src/lib.rs", GUEST_SOURCE);
        workspace.write("helper/Cargo.toml", HELPER);
        workspace.write("helper/src/lib.rs", "pub const ANSWER: u32 = 42;");
        // The versions that this workspace has fetched, so that no network is needed.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
        fs::copy(lock, workspace.0.path().join("Cargo.lock")).unwrap();
        workspace
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO"))
            .current_dir(self.0.path())
            .args(arguments)
            .args(["--offline", "--package", "outer", "--target-dir", "target"])
            .env_remove("CARGO_TARGET_DIR")
            .env("RUSTFLAGS", "--cfg outer_build")
            .output()
            .unwrap()
    }

    /// Runs cargo, which must succeed, and returns what it printed.
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.cargo(arguments);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "cargo {arguments:?}:\n{printed}");
        printed
    }

    fn guest(&self) -> Vec<u8> {
        let built = self
            .0
            .path()
            .join("target/guests/wasm32-unknown-unknown/guest/the_guest.wasm");
        fs::read(built).expect("the guest is where nested builds go")
    }
}

const BUILD_SCRIPT: &str = r#"
fn main() {
    let guest = proxy_wasi_guest_builder::GuestBuild::new("the-guest").build();
    println!("cargo::rustc-env=GUEST={}", guest.display());
}
"#;

#[test]
fn a_guest_is_built_when_it_changes_and_only_then() {
    let workspace = Workspace::new(BUILD_SCRIPT);
    // Under clippy the compiler has a wrapper, which must not reach the guest.
    workspace.succeeds(&["clippy"]);
    assert!(workspace.guest().starts_with(b"\0asm"));

    workspace.succeeds(&["build"]);
    let first = workspace.guest();
    let again = workspace.succeeds(&["build", "--verbose"]);
    assert!(again.contains("Fresh outer"), "{again}");
    assert!(!again.contains("Running"), "{again}");

    workspace.write("helper/src/lib.rs", "pub const ANSWER: u32 = 43;");
    let changed = workspace.succeeds(&["build", "--verbose"]);
    assert!(changed.contains("Running"), "{changed}");
    assert_ne!(workspace.guest(), first);
    assert!(
        workspace
            .succeeds(&["build", "--verbose"])
            .contains("Fresh outer")
    );

    workspace.write("guest/src/lib.rs", "this is not Rust");
    let output = workspace.cargo(&["build"]);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        printed.contains("building `the-guest` for `wasm32-unknown-unknown` failed"),
        "{printed}"
    );
    assert!(
        printed.contains("this is not Rust"),
        "the compiler's own words: {printed}"
    );
}

#[test]
fn a_missing_target_is_named_with_the_way_out() {
    let script = BUILD_SCRIPT.replace(".build()", r#".target("wasm32v1-none").build()"#);
    let output = Workspace::new(&script).cargo(&["check"]);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        printed.contains("rustup target add wasm32v1-none"),
        "{printed}"
    );
}

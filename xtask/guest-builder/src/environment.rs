//! The outer build, as its environment variables tell, and how the nested one is kept from them.
#![expect(
    clippy::disallowed_methods,
    reason = "cargo talks to build scripts through the environment"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::GuestBuildError;

/// Variables that describe the outer build to compilers and build scripts.
const OUTER: &[&str] = &[
    "DEBUG",
    "HOST",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "TARGET",
];

/// Variables of cargo that are about the machine and its network, or about sharing its cores.
const KEPT: &[&str] = &[
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
];

/// A variable that cargo sets for build scripts.
pub(crate) fn variable(name: &'static str) -> Result<String, GuestBuildError> {
    env::var(name).map_err(|_| GuestBuildError::NotABuildScript(name))
}

/// The outer build's target directory: cargo marks it, and `OUT_DIR` lies within.
pub(crate) fn target_dir(out_dir: &Path) -> PathBuf {
    let marked = out_dir
        .ancestors()
        .find(|directory| directory.join("CACHEDIR.TAG").is_file());
    // Unmarked, it is where it would be in a build for the host: target/debug/build/name-hash/out.
    marked
        .or_else(|| out_dir.ancestors().nth(4))
        .unwrap_or(out_dir)
        .to_owned()
}

/// Removes what the outer build put into the environment.
pub(crate) fn forget_outer_build(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_outer) {
            command.env_remove(&name);
        }
    }
}

fn is_outer(name: &str) -> bool {
    let of_cargo = (name == "CARGO" || name.starts_with("CARGO_"))
        && !KEPT.iter().any(|kept| name.starts_with(kept));
    of_cargo || OUTER.contains(&name) || name.starts_with("DEP_")
}

/// Whether the compiler has a standard library for a target. If the compiler cannot be asked, it is taken to have one.
pub(crate) fn target_is_installed(target: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Ok(output) = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", target])
        .output()
    else {
        return true;
    };
    !output.status.success() || Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_kept_and_the_build_is_not() {
        for name in [
            "PATH",
            "RUSTUP_TOOLCHAIN",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_MAKEFLAGS",
            "CARGO_TERM_COLOR",
        ] {
            assert!(!is_outer(name), "{name}");
        }
        for name in [
            "CARGO",
            "CARGO_BUILD_TARGET",
            "CARGO_CFG_UNIX",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_FEATURE_STD",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "DEP_Z_ROOT",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
        ] {
            assert!(is_outer(name), "{name}");
        }
    }

    #[test]
    fn the_target_directory_is_the_marked_one() {
        let directory = tempfile::tempdir().unwrap();
        let out_dir = directory
            .path()
            .join("wasm32-wasip1/debug/build/name-0123/out");
        std::fs::create_dir_all(&out_dir).unwrap();
        assert_eq!(
            target_dir(&out_dir),
            directory.path().join("wasm32-wasip1"),
            "no mark"
        );
        std::fs::write(directory.path().join("CACHEDIR.TAG"), "").unwrap();
        assert_eq!(target_dir(&out_dir), directory.path());
    }

    #[test]
    fn a_target_without_standard_library_is_told() {
        assert!(target_is_installed("wasm32-unknown-unknown"));
        assert!(!target_is_installed("wasm64-unknown-unknown"));
    }
}

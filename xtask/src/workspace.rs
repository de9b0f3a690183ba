//! Where things are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

/// The workspace's root directory.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// `cargo`, as the one that runs this, but without what it tells this program about its own package: build scripts
/// that look at it would run again, and what depends on them be built again.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let of_this_program = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if of_this_program {
            command.env_remove(name);
        }
    }
    command
}

/// The workspace's target directory, wherever it was configured to be.
pub(crate) fn target_dir() -> anyhow::Result<PathBuf> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let directory = metadata
        .get("target_directory")
        .and_then(|found| found.as_str());
    Ok(directory
        .context("cargo metadata names no target directory")?
        .into())
}

/// Builds a guest crate where build scripts put theirs, so that none is built twice; returns its path.
pub(crate) fn build_guest(package: &str, target: &str) -> anyhow::Result<PathBuf> {
    let directory = target_dir()?.join("guests");
    let mut cargo = cargo();
    cargo
        .args(["build", "--profile", "guest", "--package", package])
        .args(["--target", target, "--target-dir"])
        .arg(&directory);
    succeed(&mut cargo)?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(directory.join(target).join("guest").join(file))
}

/// Runs a command, which shows its messages itself, to its end.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        status.success(),
        "{command:?} failed; see its messages above"
    );
    Ok(())
}

/// The unpacked sources of a dependency.
pub(crate) fn sources_of(package: &str) -> anyhow::Result<PathBuf> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata
        .get("packages")
        .and_then(|packages| packages.as_array());
    packages
        .into_iter()
        .flatten()
        .find(|found| found.get("name").and_then(|name| name.as_str()) == Some(package))
        .and_then(|found| Path::new(found.get("manifest_path")?.as_str()?).parent())
        .map(Path::to_path_buf)
        .with_context(|| format!("`{package}` is not among the dependencies in Cargo.lock"))
}

//! Where things are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The workspace's root directory.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// `cargo`, as the one that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root());
    command
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

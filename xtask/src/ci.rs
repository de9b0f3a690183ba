//! `cargo xtask ci`: what must hold before a change is merged.

use std::process::Command;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;

use crate::workspace;

/// The one list of checks, which also runs where nothing is built yet.
const SCRIPT: &str = ".ci/run";

/// Arguments of `ci`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {}

/// Runs the checks; fails with the first that fails.
pub(crate) fn run(_args: &Args) -> anyhow::Result<()> {
    let status = Command::new("bash")
        .arg(SCRIPT)
        .current_dir(workspace::root())
        .status()
        .with_context(|| format!("cannot run `bash {SCRIPT}`"))?;
    if !status.success() {
        bail!("`{SCRIPT}` failed; see its last step above");
    }
    Ok(())
}

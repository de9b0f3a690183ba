//! `cargo xtask demo`: two plugins, a legacy module and a component, in one filter chain.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args as ClapArgs;

use crate::workspace;

/// Arguments of `demo`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Address to listen on
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// A plugin of `examples/`.
struct Guest {
    package: &'static str,
    target: &'static str,
}

/// The same plugin in both forms, in the order of the request path.
const GUESTS: [Guest; 2] = [
    Guest {
        package: "legacy-rust-headers",
        target: "wasm32-wasip1",
    },
    Guest {
        package: "wit-rust-headers",
        target: "wasm32-wasip2",
    },
];

/// Builds the plugins and the proxy, and serves until it is told to stop.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let target_dir = target_dir()?.join("guests");
    let mut plugins = Vec::with_capacity(GUESTS.len());
    for guest in &GUESTS {
        plugins.push(build(guest, &target_dir)?);
    }
    // Apart from running it, so that what to try is said when nothing more is built.
    succeed(workspace::cargo().args(["build", "--package", "proxy-wasi"]))?;

    eprintln!(
        "\nTry, in another terminal:\n\n    curl -i http://{}/hello\n",
        args.listen
    );
    let mut serve = workspace::cargo();
    serve
        .args(["run", "--quiet", "--package", "proxy-wasi", "--", "serve"])
        .arg(format!("--listen={}", args.listen))
        .args(plugins);
    become_process(&mut serve)
}

/// Builds a plugin where build scripts put theirs, so that none is built twice; returns its path.
fn build(guest: &Guest, target_dir: &Path) -> anyhow::Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo
        .args(["build", "--profile", "guest", "--package", guest.package])
        .args(["--target", guest.target, "--target-dir"])
        .arg(target_dir);
    succeed(&mut cargo)?;
    let file = format!("{}.wasm", guest.package.replace('-', "_"));
    Ok(target_dir.join(guest.target).join("guest").join(file))
}

/// The workspace's target directory, wherever it was configured to be.
fn target_dir() -> anyhow::Result<PathBuf> {
    let output = workspace::cargo()
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

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        status.success(),
        "{command:?} failed; see its messages above"
    );
    Ok(())
}

/// Takes the command's place, so that signals reach the proxy alone and the shell waits for it to drain.
#[cfg(unix)]
fn become_process(command: &mut Command) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;

    let error = command.exec();
    Err(error).with_context(|| format!("cannot run {command:?}"))
}

/// Runs the command to its end.
#[cfg(not(unix))]
fn become_process(command: &mut Command) -> anyhow::Result<()> {
    succeed(command)
}

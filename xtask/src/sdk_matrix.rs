//! `cargo xtask sdk-matrix`: one plugin for each toolchain that makes plugins, built from package registries, served and
//! tried. tests/guests/toolchains has the plugins, tests/sdk_matrix what they are asked to do.

mod build;
mod stamp;
mod toolchain;
mod tools;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use clap::Args as ClapArgs;

use self::build::Builder;
use self::toolchain::{TOOLCHAINS, Toolchain};
use crate::workspace;

/// Arguments of `sdk-matrix`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Only toolchains whose name contains this; can be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,

    /// List the toolchains and stop
    #[arg(long)]
    list: bool,
}

impl Args {
    fn chosen(&self) -> anyhow::Result<Vec<&'static Toolchain>> {
        let chosen: Vec<_> = TOOLCHAINS
            .iter()
            .filter(|toolchain| {
                let named = |part: &String| toolchain.name.contains(part.as_str());
                self.only.is_empty() || self.only.iter().any(named)
            })
            .collect();
        ensure!(
            !chosen.is_empty(),
            "no toolchain is called like that; `cargo xtask sdk-matrix --list` names them"
        );
        Ok(chosen)
    }
}

/// Builds the plugins and tries those that were built. Fails if any was not built or does not behave.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let chosen = args.chosen()?;
    if args.list {
        for toolchain in chosen {
            eprintln!("{:<25} {}", toolchain.name, toolchain.about);
        }
        return Ok(());
    }
    let cache = workspace::target_dir()?.join("sdk-matrix");
    let (plugins, unbuilt) = build_all(&chosen, Builder::new(&cache)?);
    // Tried also if some are missing: that is another question.
    let tried = try_all(&cache.join("compiled"), &plugins);
    if !unbuilt.is_empty() {
        bail!("not built: {}", unbuilt.join(", "));
    }
    tried
}

/// Builds one after another, since most tools use all cores; returns plugins, and the names of those that failed.
fn build_all(chosen: &[&Toolchain], mut builder: Builder) -> (Vec<PathBuf>, Vec<&'static str>) {
    let mut plugins = Vec::new();
    let mut unbuilt = Vec::new();
    for toolchain in chosen {
        let start = Instant::now();
        match builder.build(toolchain) {
            Ok(plugin) => {
                let seconds = start.elapsed().as_secs_f32();
                eprintln!("built {:<25} {seconds:6.1} s", toolchain.name);
                plugins.push(plugin);
            }
            Err(error) => {
                eprintln!("error: {}: {error:#}", toolchain.name);
                unbuilt.push(toolchain.name);
            }
        }
    }
    (plugins, unbuilt)
}

/// Serves each plugin and has it do what tests/guests/toolchains/README.md says.
fn try_all(compiled: &std::path::Path, plugins: &[PathBuf]) -> anyhow::Result<()> {
    let mut test = workspace::cargo();
    test.args(["test", "--quiet", "--package", "proxy-wasi"])
        .args(["--test", "sdk-matrix", "--"])
        .arg(compiled)
        .args(plugins);
    let status = test.status().context("cannot run cargo")?;
    ensure!(status.success(), "a plugin failed; see above");
    Ok(())
}

//! The programs and plugins that are measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::ensure;

use super::row::{Guest, Row, Server};
use crate::workspace;

/// Where what cargo builds is.
#[derive(Debug)]
pub(super) struct Artifacts {
    target: PathBuf,
}

impl Artifacts {
    pub(super) fn locate() -> anyhow::Result<Self> {
        Ok(Self {
            target: workspace::target_dir()?,
        })
    }

    /// Builds what the rows need.
    pub(super) fn build(&self, rows: &[Row]) -> anyhow::Result<()> {
        // One after another: built together, they would share features of their dependencies.
        build(&[
            "--profile",
            "dist",
            "--package",
            "proxy-wasi-benches",
            "--bins",
        ])?;
        if rows
            .iter()
            .any(|row| matches!(row.server(), Server::ProxyWasi { .. }))
        {
            build(&["--profile", "dist", "--package", "proxy-wasi"])?;
        }
        for guest in Guest::ALL {
            build(&[
                "--profile",
                "guest",
                "--package",
                guest.package(),
                "--target",
                guest.target(),
            ])?;
        }
        Ok(())
    }

    /// Returns the path of a program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.target.join("dist").join(name)
    }

    /// Returns the path of a plugin.
    pub(super) fn guest(&self, guest: Guest) -> PathBuf {
        let file = format!("{}.wasm", guest.package().replace('-', "_"));
        [
            self.target.as_path(),
            Path::new(guest.target()),
            Path::new("guest"),
            Path::new(&file),
        ]
        .iter()
        .collect()
    }

    /// Returns a directory for what programs under test write.
    pub(super) fn scratch(&self) -> std::io::Result<PathBuf> {
        let directory = self.target.join("bench");
        std::fs::create_dir_all(&directory)?;
        Ok(directory)
    }
}

/// Says whether nginx is installed.
pub(super) fn has_nginx() -> bool {
    Command::new("nginx")
        .arg("-v")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn build(arguments: &[&str]) -> anyhow::Result<()> {
    let status = workspace::cargo().arg("build").args(arguments).status()?;
    ensure!(
        status.success(),
        "`cargo build {}` failed",
        arguments.join(" ")
    );
    Ok(())
}

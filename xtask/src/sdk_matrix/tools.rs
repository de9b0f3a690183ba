//! Gets the tools, into a directory of our own where that can be done, and says what to do where it cannot.
//!
//! Versions are pinned in requirements.txt, package-lock.json and go.sum of tests/guests/toolchains, the workspace's
//! Cargo.lock, and here.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::stamp::Stamp;
use super::toolchain::Tool;
use crate::workspace;

/// Of the crate wit-bindgen-cli.
const WIT_BINDGEN: &str = "0.63.0";

/// The tools' directory, and which of them have been found in this run.
#[derive(Debug)]
pub(super) struct Tools {
    directory: PathBuf,
    found: Vec<Tool>,
}

impl Tools {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            found: Vec::new(),
        }
    }

    /// Installs a tool unless it is there.
    pub(super) fn get(&mut self, tool: Tool, sources: &Path, work: &Path) -> anyhow::Result<()> {
        if self.found.contains(&tool) {
            return Ok(());
        }
        match tool {
            Tool::Python => self.install_python(&sources.join("requirements.txt"))?,
            // Of each plugin its own.
            Tool::Npm => return self.install_npm_packages(work),
            Tool::Emscripten => _ = emscripten_version()?,
            Tool::WitBindgen => self.install_wit_bindgen()?,
        }
        self.found.push(tool);
        Ok(())
    }

    /// What of a tool is pinned neither beside the plugins nor in their commands.
    pub(super) fn version(&self, tool: Tool) -> anyhow::Result<String> {
        Ok(match tool {
            Tool::Python | Tool::Npm => String::new(),
            Tool::WitBindgen => WIT_BINDGEN.to_owned(),
            Tool::Emscripten => emscripten_version()?,
        })
    }

    /// A command that finds the tools, and keeps their caches beside them.
    pub(super) fn command(&self, program: &str) -> anyhow::Result<Command> {
        let ours = [
            self.directory.join("python/bin"),
            self.directory.join("wit-bindgen/bin"),
        ];
        #[expect(
            clippy::disallowed_methods,
            reason = "the tools come first, the system's others after them"
        )]
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(ours.into_iter().chain(std::env::split_paths(&path)))?;
        let cache = self.directory.join("cache");
        let program = which(program, &path).unwrap_or_else(|| program.into());
        let mut command = Command::new(program);
        command
            .env("PATH", path)
            .env("GOCACHE", cache.join("go-build"))
            .env("GOMODCACHE", cache.join("go-mod"))
            .env("GOFLAGS", "-buildvcs=false -mod=readonly -modcacherw")
            .env("GOTOOLCHAIN", "local")
            .env("ZIG_GLOBAL_CACHE_DIR", cache.join("zig"))
            .env("ZIG_LOCAL_CACHE_DIR", cache.join("zig"));
        Ok(command)
    }

    fn install_python(&self, requirements: &Path) -> anyhow::Result<()> {
        let environment = self.directory.join("python");
        let record = environment.join("installed");
        let stamp = Stamp::default().path(requirements)?;
        if stamp.is_in(&record) {
            return Ok(());
        }
        eprintln!("installing what requirements.txt lists");
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&environment);
        succeed(&mut venv).context(
            "needs Python 3.10 or newer with its module venv (Debian: `apt-get install python3-venv`)",
        )?;
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ]);
        succeed(pip.arg(requirements)).context("needs the Python packages of requirements.txt")?;
        stamp.write(&record)
    }

    fn install_npm_packages(&self, work: &Path) -> anyhow::Result<()> {
        let record = work.join("node_modules/installed");
        let stamp = Stamp::default().path(&work.join("package-lock.json"))?;
        if stamp.is_in(&record) {
            return Ok(());
        }
        let mut npm = self.command("npm")?;
        // Not `ci`: it refuses a file that lacks optional packages for other systems.
        npm.current_dir(work).args([
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]);
        succeed(&mut npm).context("needs the npm packages of package-lock.json")?;
        stamp.write(&record)
    }

    fn install_wit_bindgen(&self) -> anyhow::Result<()> {
        let root = self.directory.join("wit-bindgen");
        let mut cargo = workspace::cargo();
        // Does nothing if this version is there.
        cargo
            .args([
                "install",
                // Quick to build; what it generates takes it no time.
                "--debug",
                "--quiet",
                "wit-bindgen-cli",
                "--locked",
                "--version",
                WIT_BINDGEN,
            ])
            .args(["--no-default-features", "--features", "c", "--root"])
            .arg(&root)
            .env("CARGO_TARGET_DIR", root.join("target"));
        succeed(&mut cargo).context("needs the crate wit-bindgen-cli")?;
        Ok(())
    }
}

fn emscripten_version() -> anyhow::Result<String> {
    let mut emcc = Command::new("emcc");
    succeed(emcc.arg("--version")).context(
        "needs Emscripten 3.1 or newer (Debian: `apt-get install --no-install-recommends emscripten`)",
    )
}

/// The file that a program's name means. `Command` would look in the `PATH` of this process.
fn which(program: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

/// Runs a command to its end and returns what it prints to standard output; all that it prints is shown if it fails.
pub(super) fn succeed(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    bail!(
        "{command:?} ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&said).trim_end()
    );
}

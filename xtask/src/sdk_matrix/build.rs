//! Builds plugins, each in a directory of its own outside the clone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::stamp::{Stamp, copy_directory};
use super::toolchain::{Recipe, Tool, Toolchain};
use super::tools::{Tools, succeed};
use crate::workspace;

/// Builds plugins into `modules` of a directory, and keeps everything else that is needed for it there as well.
#[derive(Debug)]
pub(super) struct Builder {
    cache: PathBuf,
    tools: Tools,
}

impl Builder {
    pub(super) fn new(cache: &Path) -> anyhow::Result<Self> {
        for directory in ["compiled", "modules", "work"] {
            let directory = cache.join(directory);
            fs::create_dir_all(&directory)
                .with_context(|| format!("cannot make `{}`", directory.display()))?;
        }
        Ok(Self {
            cache: cache.to_owned(),
            tools: Tools::new(cache.join("tools")),
        })
    }

    /// Builds a plugin unless it was built from the same sources by the same commands; returns its path.
    pub(super) fn build(&mut self, toolchain: &Toolchain) -> anyhow::Result<PathBuf> {
        let plugin = self
            .cache
            .join("modules")
            .join(toolchain.name)
            .with_extension("wasm");
        match &toolchain.recipe {
            Recipe::Cargo { package, target } => {
                let built = workspace::build_guest(package, target)?;
                copy(&built, &plugin)?;
            }
            Recipe::Commands {
                sources,
                needs,
                commands,
            } => {
                self.run_commands(sources, needs, commands, &plugin)?;
            }
        }
        Ok(plugin)
    }

    fn run_commands(
        &mut self,
        sources: &[&str],
        needs: &[Tool],
        commands: &[&str],
        plugin: &Path,
    ) -> anyhow::Result<()> {
        let origin = workspace::root().join("tests/guests/toolchains");
        let wit = workspace::root().join("wit");
        let mut stamp = Stamp::default().path(&origin.join("requirements.txt"))?;
        for source in sources {
            stamp = stamp.path(&origin.join(source))?;
        }
        for command in commands {
            stamp = stamp.text(command);
            if command.contains("{wit}") {
                stamp = stamp.path(&wit)?;
            }
        }
        for tool in needs {
            stamp = stamp.text(&self.tools.version(*tool)?);
        }
        let record = plugin.with_extension("stamp");
        if plugin.is_file() && stamp.is_in(&record) {
            return Ok(());
        }

        let [directory, ..] = sources else {
            return Ok(());
        };
        for source in sources {
            copy_directory(&origin.join(source), &self.cache.join("work").join(source))?;
        }
        let work = self.cache.join("work").join(directory);
        for tool in needs {
            self.tools.get(*tool, &origin, &work)?;
        }
        // What is there afterwards was built now.
        if plugin.exists() {
            fs::remove_file(plugin)
                .with_context(|| format!("cannot remove `{}`", plugin.display()))?;
        }
        for command in commands {
            let mut words = command.split_ascii_whitespace().map(|word| {
                word.replace("{out}", &plugin.to_string_lossy())
                    .replace("{wit}", &wit.to_string_lossy())
            });
            let program = words.next().unwrap_or_default();
            let mut command = self.tools.command(&program)?;
            succeed(command.args(words).current_dir(&work))?;
        }
        ensure!(
            plugin.is_file(),
            "the last command did not write `{}`",
            plugin.display()
        );
        stamp.write(&record)
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("cannot copy `{}` to `{}`", from.display(), to.display()))
}

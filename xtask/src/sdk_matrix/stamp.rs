//! What something was made of, so that it is made again only when that changes; and copies of sources.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A digest of everything that was added, in order.
#[derive(Debug, Default)]
pub(super) struct Stamp(DefaultHasher);

impl Stamp {
    /// Adds a text.
    pub(super) fn text(mut self, text: &str) -> Self {
        text.hash(&mut self.0);
        self
    }

    /// Adds a file, or all files of a directory, with their names.
    pub(super) fn path(mut self, path: &Path) -> anyhow::Result<Self> {
        for file in files(path)? {
            file.strip_prefix(path).unwrap_or(&file).hash(&mut self.0);
            read(&file)?.hash(&mut self.0);
        }
        Ok(self)
    }

    /// Whether `file` records this stamp.
    pub(super) fn is_in(&self, file: &Path) -> bool {
        fs::read_to_string(file).is_ok_and(|recorded| recorded == self.value())
    }

    /// Records this stamp in `file`.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        fs::write(file, self.value()).with_context(|| format!("cannot write `{}`", file.display()))
    }

    fn value(&self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

/// Makes a directory hold the files of another one. What else is there stays.
pub(super) fn copy_directory(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in files(from)? {
        let copy = to.join(file.strip_prefix(from)?);
        let bytes = read(&file)?;
        if fs::read(&copy).is_ok_and(|old| old == bytes) {
            continue;
        }
        copy.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&copy, bytes))
            .with_context(|| format!("cannot write `{}`", copy.display()))?;
    }
    Ok(())
}

/// The files in a directory and below, sorted; of a file, itself.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let entries =
        fs::read_dir(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    for entry in entries {
        found.extend(files(&entry?.path())?);
    }
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_knows_names_and_contents() -> anyhow::Result<()> {
        let directory =
            std::env::temp_dir().join(format!("proxy-wasi-stamp-{}", std::process::id()));
        fs::create_dir_all(directory.join("sources/below"))?;
        let sources = directory.join("sources");
        let stamp = || Stamp::default().text("command").path(&sources);
        let record = directory.join("record");
        fs::write(sources.join("below/a"), "1")?;
        assert!(!stamp()?.is_in(&record), "there is no record yet");
        stamp()?.write(&record)?;
        assert!(stamp()?.is_in(&record));

        fs::write(sources.join("below/a"), "2")?;
        assert!(!stamp()?.is_in(&record), "the content has changed");
        fs::write(sources.join("below/a"), "1")?;
        fs::rename(sources.join("below/a"), sources.join("below/b"))?;
        assert!(!stamp()?.is_in(&record), "the name has changed");
        fs::rename(sources.join("below/b"), sources.join("below/a"))?;
        assert!(stamp()?.is_in(&record));
        assert!(!stamp()?.text("flag").is_in(&record));
        fs::remove_dir_all(directory)?;
        Ok(())
    }
}

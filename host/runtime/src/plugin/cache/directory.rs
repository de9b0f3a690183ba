//! A directory whose files only this user can have written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tracing::debug;

/// How the names of entries end.
pub(super) const SUFFIX: &str = ".component";
/// How the names of entries end while they are written.
const UNFINISHED: &str = ".unfinished";
/// What a process that was killed left unfinished may be removed after this.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Bytes of a file that this user has written, and that nobody else could have.
#[derive(Debug)]
pub(super) struct OwnBytes(Vec<u8>);

impl OwnBytes {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
}

/// Why a directory or a file in it is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DirectoryError {
    #[error("cannot make or read the directory `{}`: {source}; give another with `--cache-dir`", .path.display())]
    Unusable { path: PathBuf, source: io::Error },
    #[error("`{}` is not a directory; give one with `--cache-dir`", .0.display())]
    NotDirectory(PathBuf),
    #[error("`{}` belongs to another user; give a directory of yours with `--cache-dir`", .0.display())]
    OtherOwner(PathBuf),
    #[error("others may write to `{}`; take that permission away with `chmod go-w`", .0.display())]
    OthersWrite(PathBuf),
    #[cfg(not(unix))]
    #[error("on this system it cannot be checked who may write to `{}`", .0.display())]
    Unchecked(PathBuf),
}

impl Directory {
    /// Opens a directory, making it for this user only if it does not exist.
    pub(super) fn open(path: PathBuf) -> Result<Self, DirectoryError> {
        let unusable = |source| DirectoryError::Unusable {
            path: path.clone(),
            source,
        };
        private_directory(&path).map_err(unusable)?;
        let metadata = path.metadata().map_err(unusable)?;
        if !metadata.is_dir() {
            return Err(DirectoryError::NotDirectory(path));
        }
        check_writers(&path, &metadata)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file, if it exists.
    pub(super) fn read(&self, name: &str) -> Result<Option<OwnBytes>, DirectoryError> {
        let path = self.path.join(name);
        let unusable = |source| DirectoryError::Unusable {
            path: path.clone(),
            source,
        };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(error)),
        };
        // Of the opened file, so that what is checked is what is read.
        let metadata = file.metadata().map_err(unusable)?;
        check_writers(&path, &metadata)?;
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        file.read_to_end(&mut bytes).map_err(unusable)?;
        // So that eviction takes first what nobody uses.
        if let Err(error) = file.set_modified(SystemTime::now()) {
            debug!(entry = name, %error, "the time of last use could not be noted");
        }
        Ok(Some(OwnBytes(bytes)))
    }

    /// Writes a file, so that readers see all of it or nothing.
    pub(super) fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let unfinished = self
            .path
            .join(format!("{name}.{:016x}{UNFINISHED}", fastrand::u64(..)));
        let mut file = private_file(&unfinished)?;
        let written = parts.iter().try_for_each(|part| file.write_all(part));
        drop(file);
        let done = written.and_then(|()| fs::rename(&unfinished, self.path.join(name)));
        if done.is_err() {
            remove(&unfinished);
        }
        done
    }

    /// Removes the entries that were not used for longest, until the rest have at most `most` bytes. The newest stays
    /// in any case.
    pub(super) fn evict(&self, most: u64) {
        let entries = match self.entries() {
            Ok(entries) => entries,
            Err(error) => return debug!(%error, "the cache could not be listed"),
        };
        let mut kept = 0;
        for (at, entry) in entries.iter().enumerate() {
            kept += entry.size;
            if at > 0 && kept > most {
                remove(&entry.path);
            }
        }
    }

    /// Our files in the directory, the one used last first. What others left unfinished long ago is removed.
    fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for found in fs::read_dir(&self.path)? {
            let found = found?;
            let name = found.file_name();
            let name = name.to_string_lossy();
            // Another process may have removed it just now.
            let Ok(metadata) = found.metadata() else {
                continue;
            };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if name.ends_with(UNFINISHED) && used.elapsed().is_ok_and(|age| age > ABANDONED) {
                remove(&found.path());
            } else if name.ends_with(SUFFIX) {
                entries.push(Entry {
                    path: found.path(),
                    size: metadata.len(),
                    used,
                });
            }
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.used));
        Ok(entries)
    }
}

struct Entry {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        debug!(path = %path.display(), %error, "a file of the cache could not be removed");
    }
}

fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Checks that only this user can have written something.
#[cfg(unix)]
fn check_writers(path: &Path, metadata: &Metadata) -> Result<(), DirectoryError> {
    use std::os::unix::fs::MetadataExt;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(DirectoryError::OtherOwner(path.to_owned()));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(DirectoryError::OthersWrite(path.to_owned()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_writers(path: &Path, _metadata: &Metadata) -> Result<(), DirectoryError> {
    Err(DirectoryError::Unchecked(path.to_owned()))
}

//! `proxy-wasi compose`.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use proxy_wasi_linker::Linker;
use proxy_wasi_runtime::plugin::{Artifact, ArtifactError};
use proxy_wasi_shim_artifact::SHIM;

use crate::args::ComposeArgs;
use crate::exit::Failure;

pub(crate) fn run(args: &ComposeArgs) -> Result<(), Failure> {
    let to_stdout = args.output == Path::new("-");
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "a component is no text for a terminal; give `-o FILE`, or redirect `-o -`".to_owned(),
        ));
    }
    let legacy = Artifact::read(&args.legacy)?;
    // Validated: it may go anywhere, and nobody waits for this command's milliseconds.
    let linker = Linker::new(SHIM)?;
    // Of what is not broken, linking says better why it cannot be linked.
    if let Err(broken @ ArtifactError::Binary { .. }) = legacy.check(&linker) {
        return Err(broken.into());
    }
    let linked = linker
        .validate(true)
        .link(legacy.bytes())
        .map_err(|source| Failure::Link {
            path: args.legacy.clone(),
            source,
        })?;
    if to_stdout {
        let written = io::stdout()
            .write_all(&linked.component)
            .and_then(|()| io::stdout().flush());
        return written.map_err(|source| Failure::Write {
            what: "to standard output".to_owned(),
            way_out: "check what reads it",
            source,
        });
    }
    write(&args.output, &linked.component).map_err(|source| Failure::Write {
        what: format!("`{}`", args.output.display()),
        way_out: if is_no_room(&source) {
            "make room for it, or give `-o` a path elsewhere"
        } else {
            "give `-o` a path in a directory that exists and that you may write to"
        },
        source,
    })
}

fn is_no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    [StorageFull, QuotaExceeded, FileTooLarge].contains(&error.kind())
}

/// Writes all of a file or nothing: what was there before stays until the new content is complete.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    // A device or a pipe has no content that could be half there. Links lead to what is to be written.
    let target = match fs::metadata(path) {
        Ok(found) if !found.is_file() => return fs::write(path, content),
        Ok(_) => fs::canonicalize(path)?,
        Err(_) => path.to_owned(),
    };
    check_size(content.len())?;
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let temporary = target.with_file_name(name);
    let written = write_new(&temporary, content).and_then(|()| {
        // Who may read or run what was there may do so with what takes its place.
        if let Ok(found) = fs::metadata(&target) {
            fs::set_permissions(&temporary, found.permissions())?;
        }
        fs::rename(&temporary, &target)
    });
    if written.is_err() {
        // It may never have come to be.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    // Some systems say only then that there is no room.
    file.sync_all()
}

/// Beyond the limit of `ulimit -f` the system ends the process in the middle of a write, by a signal.
#[cfg(unix)]
fn check_size(size: usize) -> io::Result<()> {
    use rustix::process::{Resource, getrlimit};

    match getrlimit(Resource::Fsize).current {
        Some(limit) if size as u64 > limit => {
            let text =
                format!("it has {size} bytes, and files are limited to {limit} (`ulimit -f`)");
            Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_size(_: usize) -> io::Result<()> {
    Ok(())
}

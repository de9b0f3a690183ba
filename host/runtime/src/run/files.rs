//! How many files the process may open.

use std::io;

/// Raises the process's limit on open files to what the system allows it: every connection is one, and many systems
/// start programs with 1024, for the sake of those that still use `select`.
#[cfg(unix)]
pub(super) fn raise_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit on open files stays as it is");
    }
}

#[cfg(not(unix))]
pub(super) fn raise_limit() {}

/// Whether an error says that there are no more files to be had: connections, listeners and runtimes are some.
#[cfg(unix)]
fn are_used_up(error: &io::Error) -> bool {
    use rustix::io::Errno;

    [Errno::MFILE, Errno::NFILE]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(not(unix))]
fn are_used_up(_: &io::Error) -> bool {
    false
}

/// What to do about an error: more files, if that is what lacks.
pub(super) fn way_out(error: &io::Error, otherwise: &'static str) -> &'static str {
    if are_used_up(error) {
        "let the process open more files (`ulimit -n`), or give it fewer `--workers`"
    } else {
        otherwise
    }
}

//! How many files the process may open.

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

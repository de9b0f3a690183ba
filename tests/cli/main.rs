//! The command line, as users see it: what each command prints, where, and with which exit code.
//!
//! A test is a transcript of commands, compared with a file in `snapshots/`. After a change that was meant,
//! `INSTA_UPDATE=always cargo test -p proxy-wasi --test cli` writes the files again; review the difference.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot set itself up has failed"
)]

mod compose;
mod config_files;
mod help;
mod inspect;
mod modules;
mod plugin_files;
mod shell;
mod start;
mod usage;

//! How a command fails: one line on standard error, and the exit code.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use proxy_wasi_linker::{LinkError, ShimError};
use proxy_wasi_runtime::RunError;
use proxy_wasi_runtime::config::ConfigError;
use proxy_wasi_runtime::plugin::ArtifactError;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Help or version was asked for: no failure, but the command ends here.
    #[error("help was asked for")]
    Help(clap::Error),
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error("cannot link `{}`", .path.display())]
    Link { path: PathBuf, source: LinkError },
    #[error("this build of proxy-wasi is broken; build it again from one release")]
    Shim(#[from] ShimError),
    #[error(transparent)]
    Run(Box<RunError>),
    #[error("cannot write {what}; {way_out}")]
    Write {
        what: String,
        way_out: &'static str,
        source: io::Error,
    },
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::Run(Box::new(error))
    }
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Help(_) => 0,
            Self::Artifact(_)
            | Self::Link { .. }
            | Self::Shim(_)
            | Self::Run(_)
            | Self::Write { .. } => 1,
            Self::Usage(_) | Self::Config(_) => 2,
        }
    }

    /// Tells the user, and makes the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        // Nobody is left to tell if standard error or output is closed.
        if let Self::Help(help) = self {
            drop(help.print());
        } else {
            drop(writeln!(io::stderr(), "error: {}", one_line(self)));
        }
        ExitCode::from(self.exit_code())
    }
}

/// An error and its causes in one line, whatever a path or a plugin put into them.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let text = causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    printable(&text).into_owned()
}

/// The text with control characters escaped: they could end the line, or drive a terminal.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let escape = |char: char| match char.is_control() {
        true => char.escape_default().to_string(),
        false => char.to_string(),
    };
    text.chars().map(escape).collect()
}

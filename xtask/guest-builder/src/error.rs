//! Why a guest was not built.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a guest was not built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GuestBuildError {
    /// A variable that cargo sets for build scripts is missing.
    #[error("`{0}` is not set: guests are built from build scripts")]
    NotABuildScript(&'static str),
    /// Cargo could not be run.
    #[error("cannot run `{cargo}`")]
    Cargo {
        /// The program.
        cargo: String,
        /// Why.
        source: io::Error,
    },
    /// Cargo did not describe the workspace.
    #[error("`cargo metadata` failed: {0}")]
    Metadata(String),
    /// The workspace has no such package.
    #[error("the workspace has no package `{0}`: add it to `members` in the root Cargo.toml")]
    UnknownPackage(String),
    /// The package does not have what is to be built.
    #[error("package `{package}` has no {wanted}")]
    NothingToBuild {
        /// The package.
        package: String,
        /// What it lacks.
        wanted: String,
    },
    /// The target's standard library is missing.
    #[error(
        "cannot build `{package}`: target `{target}` is not installed; run `rustup target add {target}`"
    )]
    MissingTarget {
        /// The package.
        package: String,
        /// The target.
        target: String,
    },
    /// Compilation failed.
    #[error("building `{package}` for `{target}` failed; see the compiler's messages above")]
    Failed {
        /// The package.
        package: String,
        /// The target.
        target: String,
    },
    /// The result could not be copied.
    #[error("cannot copy `{}` to `{}`", from.display(), to.display())]
    Copy {
        /// What was built.
        from: PathBuf,
        /// Where it should go.
        to: PathBuf,
        /// Why.
        source: io::Error,
    },
}

//! Builds guest crates of the workspace for WebAssembly, from the build script of a crate that needs their bytes.
//!
//! ```no_run
//! use proxy_wasi_guest_builder::GuestBuild;
//!
//! // build.rs
//! let wasm = GuestBuild::new("proxy-wasi-shim").build();
//! println!("cargo::rustc-env=SHIM_WASM={}", wasm.display());
//! ```
//!
//! The nested cargo works in `guests` under the outer one's target directory, so neither waits for the other's lock.
//! It is not told about the outer build: flags for the host, a wrapper such as clippy's and features stay outside. The
//! build script runs again when something changes in the guest, in a crate of the workspace that the guest depends on,
//! or in `wit/`, and at no other time.
#![forbid(unsafe_code)]

mod environment;
mod error;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

pub use error::GuestBuildError;

use workspace::{Artifact, Workspace};

/// A guest crate to build. See the [crate's page](crate).
#[derive(Clone, Debug)]
pub struct GuestBuild {
    package: String,
    target: String,
    profile: String,
    artifact: Artifact,
    features: Vec<String>,
}

impl GuestBuild {
    /// A package of the workspace. By default its `cdylib`, or else its only binary, for `wasm32-unknown-unknown` with
    /// the profile `guest`.
    pub fn new(package: impl Into<String>) -> Self {
        Self {
            package: package.into(),
            target: "wasm32-unknown-unknown".into(),
            profile: "guest".into(),
            artifact: Artifact::Default,
            features: Vec::new(),
        }
    }

    /// Sets the target. Default is `wasm32-unknown-unknown`.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// Sets the profile. Default is `guest`.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = profile.into();
        self
    }

    /// Builds with a feature of the package. Default is none but the package's defaults.
    #[must_use]
    pub fn feature(mut self, name: impl Into<String>) -> Self {
        self.features.push(name.into());
        self
    }

    /// Builds the binary of this name, of a package that has several.
    #[must_use]
    pub fn bin(mut self, name: impl Into<String>) -> Self {
        self.artifact = Artifact::Bin(name.into());
        self
    }

    /// Builds the example of this name, a program or a `cdylib`.
    #[must_use]
    pub fn example(mut self, name: impl Into<String>) -> Self {
        self.artifact = Artifact::Example(name.into());
        self
    }

    /// Builds and returns the path of the `.wasm` file, which lies in the build script's `OUT_DIR`, in a directory
    /// of its target and profile. A failure is shown
    /// by cargo and ends the build script.
    #[expect(clippy::print_stdout, reason = "how a build script talks to cargo")]
    pub fn build(&self) -> PathBuf {
        match self.try_build() {
            Ok(path) => path,
            Err(error) => {
                for line in error.to_string().lines() {
                    println!("cargo::error={line}");
                }
                std::process::exit(1);
            }
        }
    }

    /// Builds. See [`Self::build`].
    ///
    /// # Errors
    ///
    /// If this is not a build script, if the workspace has no such package, or if building it fails; an error of the
    /// compiler has been printed to standard error then.
    pub fn try_build(&self) -> Result<PathBuf, GuestBuildError> {
        let cargo = environment::variable("CARGO")?;
        let out_dir = PathBuf::from(environment::variable("OUT_DIR")?);
        let workspace = Workspace::of(
            Path::new(&environment::variable("CARGO_MANIFEST_DIR")?),
            &cargo,
        )?;
        let file = workspace.file_of(&self.package, &self.artifact)?;
        watch(&workspace.sources_of(&self.package)?);

        let guests = environment::target_dir(&out_dir).join("guests");
        let mut command = Command::new(&cargo);
        environment::forget_outer_build(&mut command);
        command
            .current_dir(workspace.root())
            .args([
                "build",
                "--package",
                &self.package,
                "--target",
                &self.target,
                "--profile",
                &self.profile,
            ])
            .args(self.artifact.arguments())
            .args(self.features.iter().flat_map(|name| ["--features", name]))
            .arg("--target-dir")
            .arg(&guests)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let status = command.status().map_err(|source| GuestBuildError::Cargo {
            cargo: cargo.clone(),
            source,
        })?;
        if !status.success() {
            return Err(self.explain());
        }
        let built = guests
            .join(&self.target)
            .join(profile_directory(&self.profile))
            .join(&file);
        let kept = self.kept_in(&out_dir, &file);
        copy_if_changed(&built, &kept)?;
        Ok(kept)
    }

    /// Where the copy lies: one for each target, profile and set of features.
    fn kept_in(&self, out_dir: &Path, file: &Path) -> PathBuf {
        let mut name = file.file_stem().unwrap_or(file.as_os_str()).to_owned();
        for feature in &self.features {
            name.push("-");
            name.push(feature);
        }
        let directory = out_dir.join(&self.target).join(&self.profile);
        directory.join(name).with_extension("wasm")
    }

    /// Why cargo failed.
    fn explain(&self) -> GuestBuildError {
        if environment::target_is_installed(&self.target) {
            GuestBuildError::Failed {
                package: self.package.clone(),
                target: self.target.clone(),
            }
        } else {
            GuestBuildError::MissingTarget {
                package: self.package.clone(),
                target: self.target.clone(),
            }
        }
    }
}

/// The directory that a profile's results go to.
fn profile_directory(profile: &str) -> &str {
    match profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        other => other,
    }
}

/// Has the build script run again when one of these changes.
#[expect(clippy::print_stdout, reason = "how a build script talks to cargo")]
fn watch(paths: &[PathBuf]) {
    for path in paths {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// Copies a file whose content differs. One that is the same stays untouched, so that nothing is built because of it.
fn copy_if_changed(from: &Path, to: &Path) -> Result<(), GuestBuildError> {
    let copy = || -> io::Result<()> {
        let bytes = fs::read(from)?;
        if fs::read(to).is_ok_and(|old| old == bytes) {
            Ok(())
        } else {
            if let Some(directory) = to.parent() {
                fs::create_dir_all(directory)?;
            }
            fs::write(to, bytes)
        }
    };
    copy().map_err(|source| GuestBuildError::Copy {
        from: from.into(),
        to: to.into(),
        source,
    })
}

//! What the workspace holds, as `cargo metadata` tells.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::GuestBuildError;

/// What of a package is built.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Artifact {
    /// The `cdylib`, or else the only binary.
    Default,
    /// A binary.
    Bin(String),
    /// An example.
    Example(String),
}

impl Artifact {
    /// How cargo is told.
    pub(crate) fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Default => Vec::new(),
            Self::Bin(name) => vec!["--bin", name],
            Self::Example(name) => vec!["--example", name],
        }
    }
}

/// The workspace of a package.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Debug, Default)]
struct Package {
    name: String,
    directory: PathBuf,
    /// The directories of the packages that it depends on by path.
    dependencies: Vec<PathBuf>,
    has_cdylib: bool,
    /// The library's name.
    library: String,
    bins: Vec<String>,
    examples: Vec<String>,
}

impl Workspace {
    /// The workspace of the package in a directory.
    pub(crate) fn of(directory: &Path, cargo: &str) -> Result<Self, GuestBuildError> {
        let output = Command::new(cargo)
            .current_dir(directory)
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .map_err(|source| GuestBuildError::Cargo {
                cargo: cargo.into(),
                source,
            })?;
        if !output.status.success() {
            return Err(GuestBuildError::Metadata(
                String::from_utf8_lossy(&output.stderr).trim().into(),
            ));
        }
        Self::parse(&output.stdout)
    }

    fn parse(metadata: &[u8]) -> Result<Self, GuestBuildError> {
        let metadata: Value = serde_json::from_slice(metadata)
            .map_err(|error| GuestBuildError::Metadata(error.to_string()))?;
        Ok(Self {
            root: text(&metadata, "workspace_root").into(),
            packages: list(&metadata, "packages").map(package).collect(),
        })
    }

    /// The directory of the root Cargo.toml.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn package(&self, name: &str) -> Result<&Package, GuestBuildError> {
        let package = self.packages.iter().find(|package| package.name == name);
        package.ok_or_else(|| GuestBuildError::UnknownPackage(name.into()))
    }

    /// Where a build leaves the artifact, from the profile's directory.
    pub(crate) fn file_of(
        &self,
        package: &str,
        artifact: &Artifact,
    ) -> Result<PathBuf, GuestBuildError> {
        let package = self.package(package)?;
        let missing = |wanted: String| GuestBuildError::NothingToBuild {
            package: package.name.clone(),
            wanted,
        };
        let name = match artifact {
            Artifact::Default if package.has_cdylib => package.library.replace('-', "_"),
            Artifact::Default => match package.bins.as_slice() {
                [bin] => bin.clone(),
                _ => return Err(missing("`cdylib` and not exactly one binary".into())),
            },
            Artifact::Bin(name) if package.bins.contains(name) => name.clone(),
            Artifact::Bin(name) => return Err(missing(format!("binary `{name}`"))),
            Artifact::Example(name) if package.examples.contains(name) => {
                format!("examples/{name}")
            }
            Artifact::Example(name) => return Err(missing(format!("example `{name}`"))),
        };
        Ok(PathBuf::from(format!("{name}.wasm")))
    }

    /// Everything that a package is made from: itself, the packages of the workspace that it depends on, the contract,
    /// and what the root says about profiles and versions.
    pub(crate) fn sources_of(&self, package: &str) -> Result<Vec<PathBuf>, GuestBuildError> {
        let mut pending = vec![self.package(package)?.directory.clone()];
        let mut sources = BTreeSet::new();
        while let Some(directory) = pending.pop() {
            if let Some(package) = self
                .packages
                .iter()
                .find(|package| package.directory == directory)
            {
                pending.extend(
                    package
                        .dependencies
                        .iter()
                        .filter(|other| !sources.contains(*other))
                        .cloned(),
                );
            }
            sources.insert(directory);
        }
        let shared = ["Cargo.lock", "Cargo.toml", "wit"].map(|name| self.root.join(name));
        sources.extend(shared.into_iter().filter(|path| path.exists()));
        Ok(sources.into_iter().collect())
    }
}

fn package(package: &Value) -> Package {
    let targets =
        |kind: &'static str| list(package, "targets").filter(move |target| has_kind(target, kind));
    let names = |kind| {
        targets(kind)
            .map(|target| text(target, "name").to_owned())
            .collect()
    };
    // Development dependencies are no part of what is built. Build dependencies are.
    let dependencies =
        list(package, "dependencies").filter(|dependency| text(dependency, "kind") != "dev");
    Package {
        name: text(package, "name").into(),
        directory: Path::new(text(package, "manifest_path"))
            .parent()
            .unwrap_or(Path::new(""))
            .into(),
        dependencies: dependencies
            .filter_map(|dependency| Some(dependency.get("path")?.as_str()?.into()))
            .collect(),
        has_cdylib: targets("cdylib").next().is_some(),
        library: targets("cdylib")
            .next()
            .map(|target| text(target, "name").to_owned())
            .unwrap_or_default(),
        bins: names("bin"),
        examples: names("example"),
    }
}

fn has_kind(target: &Value, kind: &str) -> bool {
    list(target, "kind").any(|other| other == kind)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        let package = |name: &str, kind: &str, dependencies: Value| {
            serde_json::json!({
                "name": name,
                "manifest_path": format!("/none/{name}/Cargo.toml"),
                "dependencies": dependencies,
                "targets": [
                    { "name": name, "kind": [kind] },
                    { "name": "show", "kind": ["example"] },
                ],
            })
        };
        let path = |name: &str, kind: Value| serde_json::json!({ "path": format!("/none/{name}"), "kind": kind });
        let metadata = serde_json::json!({
            "workspace_root": "/none",
            "packages": [
                package("a-guest", "cdylib", serde_json::json!([path("abi", Value::Null), path("tests", "dev".into())])),
                package("abi", "lib", serde_json::json!([path("deep", Value::Null), { "name": "registry", "kind": null }])),
                package("deep", "lib", serde_json::json!([path("abi", Value::Null)])),
                package("program", "bin", serde_json::json!([])),
            ],
        });
        Workspace::parse(metadata.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn files_are_named_as_cargo_names_them() {
        let file = |package, artifact: Artifact| workspace().file_of(package, &artifact);
        assert_eq!(
            file("a-guest", Artifact::Default).unwrap(),
            Path::new("a_guest.wasm")
        );
        assert_eq!(
            file("program", Artifact::Default).unwrap(),
            Path::new("program.wasm")
        );
        assert_eq!(
            file("program", Artifact::Bin("program".into())).unwrap(),
            Path::new("program.wasm")
        );
        assert_eq!(
            file("abi", Artifact::Example("show".into())).unwrap(),
            Path::new("examples/show.wasm")
        );
        assert!(matches!(
            file("abi", Artifact::Default),
            Err(GuestBuildError::NothingToBuild { .. })
        ));
        assert!(matches!(
            file("abi", Artifact::Bin("no".into())),
            Err(GuestBuildError::NothingToBuild { .. })
        ));
        assert!(matches!(
            file("none", Artifact::Default),
            Err(GuestBuildError::UnknownPackage(_))
        ));
    }

    #[test]
    fn sources_are_the_package_and_all_it_is_built_from() {
        let expected = ["/none/a-guest", "/none/abi", "/none/deep"].map(PathBuf::from);
        assert_eq!(workspace().sources_of("a-guest").unwrap(), expected);
    }
}

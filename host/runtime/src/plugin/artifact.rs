//! A plugin's file: its bytes, what they are, and their digest.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Bytes. A component with a Python interpreter in it has about 40 MB; what is larger is no plugin.
pub const MAX_FILE_SIZE: u64 = 256 * 1024 * 1024;

/// What the bytes of a WebAssembly file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    /// A core module. Whether it speaks the Proxy-Wasm ABI is for the linker to say.
    Module,
    /// A component.
    Component,
}

/// A plugin's file, read.
#[derive(Clone, Debug)]
pub struct Artifact {
    path: PathBuf,
    bytes: Vec<u8>,
    kind: ArtifactKind,
}

/// Why a file cannot be a plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// There is no such file.
    #[error("no plugin file `{}`; check the path, and build the plugin if it has not been", .0.display())]
    Missing(PathBuf),
    /// It is a directory, a device or the like.
    #[error("`{}` is not a file; give the `.wasm` file that the plugin's build made", .0.display())]
    NotFile(PathBuf),
    /// It cannot be read.
    #[error("cannot read the plugin file `{}`; check its permissions", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is too large.
    #[error("`{}` has {size} bytes; the largest plugin file has {MAX_FILE_SIZE}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// It is not WebAssembly.
    #[error("`{}` is not WebAssembly: {found}; {way_out}", .path.display())]
    NotWasm {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
        /// What to do about it.
        way_out: &'static str,
    },
}

impl Artifact {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// See [`ArtifactError`].
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        let read_error = |source: io::Error| {
            let path = path.to_owned();
            if source.kind() == io::ErrorKind::NotFound {
                ArtifactError::Missing(path)
            } else {
                ArtifactError::Read { path, source }
            }
        };
        // Asked before the file is opened: opening a FIFO would wait for a writer.
        let metadata = path.metadata().map_err(read_error)?;
        if !metadata.is_file() {
            return Err(ArtifactError::NotFile(path.to_owned()));
        }
        let too_large = |size| ArtifactError::TooLarge {
            path: path.to_owned(),
            size,
        };
        if metadata.len() > MAX_FILE_SIZE {
            return Err(too_large(metadata.len()));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        // It may have grown meanwhile.
        File::open(path)
            .map_err(read_error)?
            .take(MAX_FILE_SIZE + 1)
            .read_to_end(&mut bytes)
            .map_err(read_error)?;
        match bytes.len() as u64 {
            0..=MAX_FILE_SIZE => Self::from_bytes(path, bytes),
            size => Err(too_large(size)),
        }
    }

    /// Takes bytes that were read elsewhere; `path` is what errors call them.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::NotWasm`].
    pub fn from_bytes(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Self, ArtifactError> {
        let path = path.into();
        match kind(&bytes) {
            Ok(kind) => Ok(Self { path, bytes, kind }),
            Err((found, way_out)) => Err(ArtifactError::NotWasm {
                path,
                found,
                way_out,
            }),
        }
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it is, by its content.
    pub fn kind(&self) -> ArtifactKind {
        self.kind
    }

    /// The SHA-256 of the content. Computed on each call.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

const MAGIC: &[u8] = b"\0asm";
const MODULE: &[u8] = &[1, 0, 0, 0];
const COMPONENT: &[u8] = &[13, 0, 1, 0];

/// What people give by mistake, by its first bytes, and what they have to do.
const LOOKALIKES: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "it is compressed with gzip", "decompress it"),
    (
        b"\x28\xb5\x2f\xfd",
        "it is compressed with zstd",
        "decompress it",
    ),
    (
        b"PK\x03\x04",
        "it is a zip archive",
        "unpack it and give the `.wasm` file in it",
    ),
    (
        b"\x7fELF",
        "it is a native program",
        "build the plugin for a wasm32 target",
    ),
    (
        b"(module",
        "it is WebAssembly text",
        "assemble it with `wasm-tools parse`",
    ),
    (
        b"(component",
        "it is WebAssembly text",
        "assemble it with `wasm-tools parse`",
    ),
];

const GIVE_THE_BUILT_FILE: &str = "give the `.wasm` file that the plugin's build made";

fn kind(bytes: &[u8]) -> Result<ArtifactKind, (String, &'static str)> {
    let lookalike = || {
        LOOKALIKES
            .iter()
            .find(|(start, ..)| bytes.trim_ascii_start().starts_with(start))
    };
    match (bytes.strip_prefix(MAGIC), bytes) {
        (Some(rest), _) if rest.starts_with(MODULE) => Ok(ArtifactKind::Module),
        (Some(rest), _) if rest.starts_with(COMPONENT) => Ok(ArtifactKind::Component),
        (Some([a, b, c, d, ..]), _) => {
            let version = format!("its version is `{a:02x} {b:02x} {c:02x} {d:02x}`");
            Err((version, "build it with a current toolchain"))
        }
        (Some(_), _) => Err((
            "it ends within its header".to_owned(),
            "fetch or build it again",
        )),
        (None, []) => Err(("it is empty".to_owned(), "build the plugin again")),
        (None, _) => Err(match lookalike() {
            Some((_, found, way_out)) => ((*found).to_owned(), way_out),
            None => (beginning(bytes), GIVE_THE_BUILT_FILE),
        }),
    }
}

/// How many characters of a text file an error shows.
const SHOWN: usize = 24;

fn beginning(bytes: &[u8]) -> String {
    let start: Vec<u8> = bytes.iter().copied().take(4 * SHOWN).collect();
    let line = start
        .utf8_chunks()
        .next()
        .map_or("", |chunk| chunk.valid())
        .lines()
        .next()
        .unwrap_or_default();
    if line.is_empty() || line.chars().any(|char| char.is_control() && char != '\t') {
        let hex: Vec<_> = bytes
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        return format!("it begins with the bytes `{}`", hex.join(" "));
    }
    let shown: String = line.chars().take(SHOWN).collect();
    format!("it is text that begins with `{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_modules_from_components() {
        assert_eq!(kind(b"\0asm\x01\0\0\0\0"), Ok(ArtifactKind::Module));
        assert_eq!(kind(b"\0asm\x0d\0\x01\0"), Ok(ArtifactKind::Component));
    }

    #[test]
    fn says_what_other_files_are() {
        let found = |bytes: &[u8]| kind(bytes).unwrap_err().0;
        assert_eq!(found(b""), "it is empty");
        assert_eq!(found(b"\0asm\x01"), "it ends within its header");
        assert_eq!(found(b"\0asm\x02\0\0\0"), "its version is `02 00 00 00`");
        assert_eq!(found(b"  (module)"), "it is WebAssembly text");
        assert_eq!(
            found("#!/bin/sh\nexit".as_bytes()),
            "it is text that begins with `#!/bin/sh`"
        );
        assert_eq!(
            found(&[0xff, 0xfe, 0, 1, 2]),
            "it begins with the bytes `ff fe 00 01`"
        );
        // A character cut in two by the bound is no reason to call a text binary.
        assert_eq!(
            found("€".repeat(99).as_bytes()),
            format!("it is text that begins with `{}`", "€".repeat(SHOWN))
        );
    }
}

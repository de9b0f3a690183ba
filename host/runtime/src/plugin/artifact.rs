//! A plugin's file: its bytes, what they are, and their digest.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use proxy_wasi_linker::{BinaryError, BinaryKind, Linker, Refusal};
use sha2::{Digest, Sha256};

/// Bytes. A component with a Python interpreter in it has about 40 MB; what is larger is no plugin.
pub const MAX_FILE_SIZE: u64 = 256 * 1024 * 1024;

/// A plugin's file, read.
#[derive(Clone, Debug)]
pub struct Artifact {
    path: PathBuf,
    bytes: Vec<u8>,
    kind: BinaryKind,
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
    /// It is no WebAssembly, or has lost its end.
    #[error("`{}` is not valid WebAssembly", .path.display())]
    Binary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BinaryError,
    },
    /// It is WebAssembly, but nothing that runs here.
    #[error("`{}` cannot be run", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Refusal,
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
    /// [`ArtifactError::Binary`]. Only headers are looked at: see [`Artifact::check`].
    pub fn from_bytes(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Self, ArtifactError> {
        let path = path.into();
        match proxy_wasi_linker::binary_kind(&bytes) {
            Ok(kind) => Ok(Self { path, bytes, kind }),
            Err(source) => Err(ArtifactError::Binary { path, source }),
        }
    }

    /// Checks all of it, function bodies included: whether it is valid, and something that runs here. What is left for
    /// the engine to say is whether a component's imports and exports have the right types.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Binary`] and [`ArtifactError::Refused`].
    pub fn check(&self, linker: &Linker) -> Result<(), ArtifactError> {
        linker.check(&self.bytes).map_err(|refusal| {
            if let Refusal::Binary(source) = refusal {
                return self.invalid(source);
            }
            ArtifactError::Refused {
                path: self.path.clone(),
                source: refusal,
            }
        })
    }

    /// What is said of it when it turns out not to be valid.
    pub fn invalid(&self, source: BinaryError) -> ArtifactError {
        ArtifactError::Binary {
            path: self.path.clone(),
            source,
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
    pub fn kind(&self) -> BinaryKind {
        self.kind
    }

    /// The SHA-256 of the content. Computed on each call.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

//! What built a file: a guess from signatures that tools leave.

use super::search::find;
use crate::producers::Producer;

/// The toolchains that plugins are built with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Toolchain {
    /// AssemblyScript.
    AssemblyScript,
    /// C or C++ with clang and wasi-libc.
    Clang,
    /// C or C++ with Emscripten.
    Emscripten,
    /// Go, the standard toolchain.
    Go,
    /// JavaScript through ComponentizeJS or the like.
    JavaScript,
    /// Python through componentize-py.
    Python,
    /// Rust.
    Rust,
    /// TinyGo.
    TinyGo,
    /// Zig, or C through `zig cc`.
    Zig,
    /// No known signature.
    Unknown,
}

/// Names in producers sections. A more telling one comes before what it is made of: TinyGo also signs as Go, and
/// nearly everybody uses parts that clang has built.
const SIGNATURES: &[(&str, Toolchain)] = &[
    ("TinyGo", Toolchain::TinyGo),
    ("componentize-py", Toolchain::Python),
    ("ComponentizeJS", Toolchain::JavaScript),
    ("JavaScript", Toolchain::JavaScript),
    ("AssemblyScript", Toolchain::AssemblyScript),
    ("emscripten", Toolchain::Emscripten),
    ("rustc", Toolchain::Rust),
    ("Rust", Toolchain::Rust),
    ("Go", Toolchain::Go),
    ("Go cmd/compile", Toolchain::Go),
    ("Zig", Toolchain::Zig),
    ("clang", Toolchain::Clang),
    ("wit-bindgen-c", Toolchain::Clang),
];

/// Strings in files of toolchains that do not sign, or sign only as what they are made of.
const TRACES: &[(&[u8], Toolchain)] = &[
    // A library in every component that componentize-py makes.
    (b"libcomponentize_py_", Toolchain::Python),
    // A crate of componentize-qjs, in paths of panic messages.
    (b"/rquickjs-core-", Toolchain::JavaScript),
    // Emscripten's runtime asks for it when memory may grow.
    (b"emscripten_notify_memory_growth", Toolchain::Emscripten),
    // How paths of AssemblyScript's library begin, in UTF-16: every module with a managed string holds one.
    (b"~\0l\0i\0b\0/\0", Toolchain::AssemblyScript),
];

impl Toolchain {
    pub(super) fn of(bytes: &[u8], producers: &[Producer]) -> Self {
        let mut traces = TRACES.iter();
        if let Some((_, toolchain)) = traces.find(|(trace, _)| find(bytes, trace).is_some()) {
            return *toolchain;
        }
        let signed = |name: &str| {
            producers
                .iter()
                .any(|it| it.name.eq_ignore_ascii_case(name))
        };
        let mut signatures = SIGNATURES.iter();
        signatures
            .find(|(name, _)| signed(name))
            .map_or(Self::Unknown, |(_, toolchain)| *toolchain)
    }
}

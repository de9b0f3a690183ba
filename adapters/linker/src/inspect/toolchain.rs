//! What built a file: a guess from signatures that tools leave.

use super::sdk::find;
use crate::module::Module;
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
];

/// How paths of AssemblyScript's library begin, in UTF-16: every module with a managed string holds one.
const ASSEMBLY_SCRIPT_TRACE: &[u8] = b"~\0l\0i\0b\0/\0";

impl Toolchain {
    pub(super) fn of_module(module: &Module<'_>, producers: &[Producer]) -> Self {
        let mut imports = module.imported_functions.iter();
        // Emscripten signs as clang.
        if imports.any(|import| import.name == "emscripten_notify_memory_growth") {
            return Self::Emscripten;
        }
        let signed = Self::of_producers(producers);
        // AssemblyScript does not sign.
        if signed == Self::Unknown && find(module.bytes, ASSEMBLY_SCRIPT_TRACE).is_some() {
            return Self::AssemblyScript;
        }
        signed
    }

    pub(super) fn of_producers(producers: &[Producer]) -> Self {
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

//! What built a file: a guess from signatures that tools leave.

use super::search::find;
use crate::producers::{PRODUCT, Producer};

/// The toolchains that plugins are built with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Toolchain {
    /// AssemblyScript.
    AssemblyScript,
    /// C or C++ with clang and wasi-libc.
    Clang,
    /// A legacy module of whatever toolchain, linked as `proxy-wasi compose` does it.
    Compose,
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

/// How paths of Rust's own library begin in messages of panics. Parts of other toolchains have them as well, so it only
/// counts where nobody signed but clang: stripping takes Rust's signature, and leaves that of the library in C.
const RUST_LIBRARY: &[u8] = b"/rustc/";

impl Toolchain {
    pub(super) fn of(bytes: &[u8], producers: &[Producer]) -> Self {
        let signed = |name: &str| {
            producers
                .iter()
                .any(|it| it.name.eq_ignore_ascii_case(name))
        };
        // The shim is in there as well, with signatures and traces of its own.
        if signed(PRODUCT) {
            return Self::Compose;
        }
        let mut traces = TRACES.iter();
        if let Some((_, toolchain)) = traces.find(|(trace, _)| find(bytes, trace).is_some()) {
            return *toolchain;
        }
        let mut signatures = SIGNATURES.iter();
        let toolchain = signatures
            .find(|(name, _)| signed(name))
            .map_or(Self::Unknown, |(_, toolchain)| *toolchain);
        if matches!(toolchain, Self::Clang | Self::Unknown) && find(bytes, RUST_LIBRARY).is_some() {
            return Self::Rust;
        }
        toolchain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(name: &str) -> Vec<Producer> {
        vec![Producer {
            field: "processed-by".to_owned(),
            name: name.to_owned(),
            version: String::new(),
        }]
    }

    #[test]
    fn rust_is_known_by_its_library_where_it_did_not_sign() {
        let bytes = b"panicked at /rustc/0123/library/core/src/option.rs";

        for stripped in [vec![], signed("clang"), signed("wit-bindgen-c")] {
            assert_eq!(Toolchain::of(bytes, &stripped), Toolchain::Rust);
        }
        assert_eq!(
            Toolchain::of(bytes, &signed("JavaScript")),
            Toolchain::JavaScript
        );
        assert_eq!(Toolchain::of(b"", &signed("clang")), Toolchain::Clang);
    }

    #[test]
    fn what_the_linker_made_tells_nothing_of_what_it_was_made_of() {
        let bytes = b"emscripten_notify_memory_growth /rustc/0123/library/core/src/option.rs";

        assert_eq!(Toolchain::of(bytes, &signed(PRODUCT)), Toolchain::Compose);
    }
}

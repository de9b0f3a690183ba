//! Whether bytes are a WebAssembly binary, and what they are if not.

use thiserror::Error;
use wasmparser::{BinaryReader, Payload, ValidPayload, Validator, WasmFeatures};

use crate::error::one_line;

/// What plugins may use of WebAssembly: all of 3.0 but threads, and components without concurrency. The host's engine is
/// configured with it, so that what [`Linker::check`](crate::Linker::check) says of a file is what the engine says.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .difference(WasmFeatures::THREADS)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Tells a component's own payloads from those of modules and components within it, as the parser gives them all.
#[derive(Debug, Default)]
pub(crate) struct Nesting(usize);

impl Nesting {
    /// Takes the next payload in. Returns whether it is the outermost component's own.
    pub(crate) fn is_own(&mut self, payload: &Payload<'_>) -> bool {
        let depth = self.0;
        if matches!(
            payload,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. }
        ) {
            self.0 += 1;
        } else if matches!(payload, Payload::End(_)) {
            self.0 = depth.saturating_sub(1);
        }
        depth == 0
    }
}

/// The kinds of WebAssembly binaries.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum BinaryKind {
    /// A core module. Whether it speaks the Proxy-Wasm ABI is another question.
    Module,
    /// A component.
    Component,
}

/// Why bytes are no valid WebAssembly binary. Every message is one line, a clause that says of the file what is wrong.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum BinaryError {
    /// The bytes do not begin as WebAssembly does.
    #[error("{found}; {way_out}")]
    NotWasm {
        /// What the bytes look like.
        found: String,
        /// What to do about that.
        way_out: &'static str,
    },
    /// The bytes end too early.
    #[error(
        "it is cut off: it ends after {bytes} bytes, in the middle of a section; fetch or build it again"
    )]
    Truncated {
        /// How many there are.
        bytes: usize,
    },
    /// The bytes are malformed, or use a WebAssembly proposal that is not supported.
    #[error(
        "{reason} (at offset {offset:#x}); fetch or build it again, and look at it with `wasm-tools validate`"
    )]
    Invalid {
        /// Where the fault is.
        offset: usize,
        /// What the fault is.
        reason: String,
    },
}

impl From<wasmparser::Error> for BinaryError {
    fn from(error: wasmparser::Error) -> Self {
        // The file has all its sections: see `kind`.
        let reason = match error.message() {
            END_OF_BYTES => "a section ends too early".to_owned(),
            message => one_line(message),
        };
        Self::Invalid {
            offset: error.offset(),
            reason,
        }
    }
}

/// What the parser says when there should be more bytes.
const END_OF_BYTES: &str = "unexpected end-of-file";

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
        b"\xcf\xfa\xed\xfe",
        "it is a native program",
        "build the plugin for a wasm32 target",
    ),
    (
        b"BC\xc0\xde",
        "it is LLVM bitcode",
        "build without `-emit-llvm` and link it",
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

/// Tells modules from components, and both from other files and from such as have lost their end. It looks at headers
/// only, and so takes no time.
///
/// # Errors
///
/// Any of [`BinaryError`]; invalid is only what has no sections like those of WebAssembly.
pub fn kind(bytes: &[u8]) -> Result<BinaryKind, BinaryError> {
    let kind = match bytes.strip_prefix(MAGIC) {
        Some(rest) if rest.starts_with(MODULE) => BinaryKind::Module,
        Some(rest) if rest.starts_with(COMPONENT) => BinaryKind::Component,
        Some([a, b, c, d, ..]) => {
            return Err(not_wasm(
                format!("its version is `{a:02x} {b:02x} {c:02x} {d:02x}`"),
                "build it with a current toolchain",
            ));
        }
        Some(_) => {
            let found = "it ends within its header".to_owned();
            return Err(not_wasm(found, "fetch or build it again"));
        }
        None if bytes.is_empty() => {
            return Err(not_wasm("it is empty".to_owned(), "build the plugin again"));
        }
        None => return Err(lookalike(bytes)),
    };
    for section in sections(bytes) {
        section?;
    }
    Ok(kind)
}

/// Bytes before the first section.
pub(crate) const HEADER_BYTES: usize = MAGIC.len() + MODULE.len();

/// The sections of a binary, nested ones not among them: the id and the content of each.
pub(crate) fn sections(bytes: &[u8]) -> impl Iterator<Item = Result<(u8, &[u8]), BinaryError>> {
    let sections = bytes.get(HEADER_BYTES..).unwrap_or_default();
    let mut sections = BinaryReader::new(sections, HEADER_BYTES);
    std::iter::from_fn(move || {
        if sections.eof() {
            return None;
        }
        Some(section(&mut sections, bytes.len()))
    })
}

/// The highest id of a section: that of tags in modules. Components have one less.
const LAST_SECTION: u8 = 13;

/// The next section of a file with so many `bytes`.
fn section<'a>(
    sections: &mut BinaryReader<'a>,
    bytes: usize,
) -> Result<(u8, &'a [u8]), BinaryError> {
    let offset = sections.original_position();
    let id = sections.read_u8()?;
    if id > LAST_SECTION {
        return Err(BinaryError::Invalid {
            offset,
            reason: format!("there is no section {id}"),
        });
    }
    let content = sections
        .read_var_u32()
        .and_then(|size| sections.read_bytes(size as usize));
    match content {
        Ok(content) => Ok((id, content)),
        Err(error) if error.message() == END_OF_BYTES => Err(BinaryError::Truncated { bytes }),
        Err(error) => Err(error.into()),
    }
}

fn not_wasm(found: String, way_out: &'static str) -> BinaryError {
    BinaryError::NotWasm { found, way_out }
}

fn lookalike(bytes: &[u8]) -> BinaryError {
    let text = bytes.trim_ascii_start();
    let lookalike = LOOKALIKES
        .iter()
        .find(|(start, ..)| text.starts_with(start));
    match lookalike {
        Some((_, found, way_out)) => not_wasm((*found).to_owned(), way_out),
        None => not_wasm(beginning(bytes), GIVE_THE_BUILT_FILE),
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

/// Checks all of a binary, function bodies included, as the engine does before it compiles.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), BinaryError> {
    let mut validator = Validator::new_with_features(FEATURES);
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        if let ValidPayload::Func(function, body) = validator.payload(&payload?)? {
            let mut function = function.into_validator(allocations);
            function.validate(&body)?;
            allocations = function.into_allocations();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_modules_from_components() {
        assert_eq!(kind(b"\0asm\x01\0\0\0"), Ok(BinaryKind::Module));
        assert_eq!(kind(b"\0asm\x0d\0\x01\0"), Ok(BinaryKind::Component));
    }

    #[test]
    fn says_what_other_files_are() {
        let found = |bytes: &[u8]| match kind(bytes) {
            Err(BinaryError::NotWasm { found, .. }) => found,
            other => format!("{other:?}"),
        };
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

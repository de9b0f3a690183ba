//! Whether bytes begin as WebAssembly does, and what they are if not.

use crate::error::LinkError;

const MAGIC: &[u8] = b"\0asm";

/// Beginnings of files that people mistake for modules.
const LOOKALIKES: &[(&[u8], &str, &str)] = &[
    (&[0x1f, 0x8b], "gzip-compressed data", "decompress it first"),
    (
        &[0x28, 0xb5, 0x2f, 0xfd],
        "zstd-compressed data",
        "decompress it first",
    ),
    (
        b"PK",
        "a zip archive",
        "unpack it and use the `.wasm` file in it",
    ),
    (
        b"\x7fELF",
        "a native program",
        "build it for a wasm32 target",
    ),
    (
        b"\xcf\xfa\xed\xfe",
        "a native program",
        "build it for a wasm32 target",
    ),
    (
        b"BC\xc0\xde",
        "LLVM bitcode",
        "build without `-emit-llvm` and link it",
    ),
    (
        b"(module",
        "WebAssembly text",
        "assemble it with `wat2wasm` or `wasm-tools parse`",
    ),
    (
        b"(component",
        "WebAssembly text",
        "assemble it with `wasm-tools parse`",
    ),
];

/// Checks the first bytes of a file.
pub(crate) fn check(bytes: &[u8]) -> Result<(), LinkError> {
    if bytes.starts_with(MAGIC) {
        return Ok(());
    }
    if bytes.is_empty() {
        let way_out = "build the plugin again";
        return Err(LinkError::NotWasm {
            found: "the file is empty".to_owned(),
            way_out,
        });
    }
    let text = bytes.trim_ascii_start();
    let lookalike = LOOKALIKES
        .iter()
        .find(|(prefix, ..)| text.starts_with(prefix));
    Err(match lookalike {
        Some((_, found, way_out)) => LinkError::NotWasm {
            found: format!("it looks like {found}"),
            way_out,
        },
        None => LinkError::NotWasm {
            found: format!("it begins with {}", hexadecimal(bytes)),
            way_out: "give the `.wasm` file that the plugin's build made",
        },
    })
}

/// The first four bytes, as `de ad be ef`.
fn hexadecimal(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("`{}`", bytes.join(" "))
}

//! A component without what its functions do: for those who want to know its types only.

use wasm_encoder::{CodeSection, ComponentSectionId, Encode, Function, Section, SectionId};
use wasmparser::BinaryReader;

use crate::binary::{self, BinaryError, BinaryKind, HEADER_BYTES};

/// Components within components, as deep as they are looked into. None that a tool has made gets near it.
const MAX_DEPTH: usize = 64;

/// Gives a copy of a valid component, or module, whose functions all trap at once. Custom sections are left out. Types,
/// imports, exports and instances are the original's, and an engine compiles it in a fraction of the time.
///
/// # Errors
///
/// If the bytes are no WebAssembly binary. Others that are not valid give bytes that are not valid either.
pub fn without_bodies(bytes: &[u8]) -> Result<Vec<u8>, BinaryError> {
    let mut hollow = Vec::with_capacity(bytes.len());
    copy(bytes, MAX_DEPTH, &mut hollow)?;
    Ok(hollow)
}

fn copy(bytes: &[u8], depth: usize, output: &mut Vec<u8>) -> Result<(), BinaryError> {
    let kind = binary::kind(bytes)?;
    output.extend(bytes.iter().take(HEADER_BYTES));
    for section in binary::sections(bytes) {
        let (id, content) = section?;
        let nested = [
            ComponentSectionId::CoreModule,
            ComponentSectionId::Component,
        ];
        match kind {
            _ if id == SectionId::Custom as u8 => {}
            BinaryKind::Module if id == SectionId::Code as u8 => {
                trapping(BinaryReader::new(content, 0).read_var_u32()?).append_to(output);
            }
            BinaryKind::Component if depth > 0 && nested.iter().any(|kind| id == *kind as u8) => {
                let mut hollow = Vec::new();
                copy(content, depth - 1, &mut hollow)?;
                output.push(id);
                hollow.encode(output);
            }
            BinaryKind::Module | BinaryKind::Component => {
                output.push(id);
                content.encode(output);
            }
        }
    }
    Ok(())
}

/// As many functions as there were.
fn trapping(count: u32) -> CodeSection {
    let mut code = CodeSection::new();
    for _ in 0..count {
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_become_traps_and_the_rest_stays() {
        let text = |body: &str| {
            format!(
                r#"(component
                    (component (core module (func (export "inner") (result i32) {body})))
                    (core module (;0;)
                        (memory 1)
                        (global (export "g") i32 (i32.const 7))
                        (func (export "f") (param i32) (result i32) {body})
                        (data (i32.const 0) "kept"))
                    (core instance (instantiate 0))
                    (alias core export 0 "f" (core func))
                    (type (func (param "a" u32) (result u32)))
                    (func (type 0) (canon lift (core func 0)))
                    (export "f" (func 0))
                    (@custom "note" "left out"))"#
            )
        };
        let full = wat::parse_str(text("(local i64) (i32.add (i32.const 1) (i32.const 2))"));
        let hollow = without_bodies(&full.unwrap()).unwrap();
        let traps = text("unreachable").replace(r#"(@custom "note" "left out")"#, "");
        assert_eq!(hollow, wat::parse_str(traps).unwrap());
    }
}

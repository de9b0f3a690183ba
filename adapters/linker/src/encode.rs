//! Main module and legacy library into one component.

use wasmparser::Validator;
use wit_component::{ComponentEncoder, LibraryInfo};

use crate::binary::FEATURES;
use crate::error::{LinkError, one_line};
use crate::main_module::LEGACY_LIBRARY;
use crate::producers;

/// Puts the component together. `validate` checks the whole of it, function bodies included.
pub(crate) fn encode(main: &[u8], library: &[u8], validate: bool) -> Result<Vec<u8>, LinkError> {
    let component = assemble(main, library).map_err(|error| LinkError::Encode {
        reason: one_line(&format!("{error:#}")),
    })?;
    let component = producers::stamp(component)?;
    if validate {
        Validator::new_with_features(FEATURES)
            .validate_all(&component)
            .map_err(|error| LinkError::Invalid {
                offset: error.offset(),
                reason: one_line(error.message()),
            })?;
    }
    Ok(component)
}

/// The roles are the reverse of what their names suggest: the shim is the main module, because only the main module
/// may be anything but minimal *and* export the world, and a library may be any module at all. wit-component fills
/// main's imports from the library through a table, which resolves the cycle between the two.
fn assemble(
    main: &[u8],
    library: &[u8],
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    // `instantiate_after_shims: true` panics in this release.
    let info = LibraryInfo {
        instantiate_after_shims: false,
        arguments: Vec::new(),
    };
    let encoder = ComponentEncoder::default().validate(false).module(main)?;
    Ok(encoder.library(LEGACY_LIBRARY, library, info)?.encode()?)
}

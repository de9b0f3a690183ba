//! Counts and offsets in the 32 bits that WebAssembly has for them.

/// A count, index or offset within one module. Modules are limited to [`MAX_MODULE_BYTES`], so all of them fit.
///
/// [`MAX_MODULE_BYTES`]: crate::linker::MAX_MODULE_BYTES
pub(crate) fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

//! Core WebAssembly signatures, as far as the ABI uses them.

/// The type of a parameter or result.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ValueType {
    /// 32-bit integer: numbers, pointers and lengths.
    I32,
    /// 64-bit integer: times, offsets and metric values.
    I64,
    /// 64-bit float: the result of AssemblyScript's `seed` only.
    F64,
}

/// The parameters and the result of a function.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Signature {
    /// The parameters.
    pub params: &'static [ValueType],
    /// The result, if there is one. No function of the ABI has several.
    pub result: Option<ValueType>,
}

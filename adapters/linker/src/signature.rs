//! Function signatures of core modules.

use std::fmt;

use proxy_wasi_abi::signature as abi;
use wasm_encoder::ValType;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};

/// The parameter and result types of a core function. Displays as `(i32, i64) -> i32`.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Signature {
    params: Box<[ValType]>,
    results: Box<[ValType]>,
}

impl Signature {
    pub(crate) fn new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Self {
        Self {
            params: params.into_iter().collect(),
            results: results.into_iter().collect(),
        }
    }

    /// `params` parameters of type `i32`, and one such result if `has_result`: the shape of nearly all of the ABI.
    pub(crate) fn of_i32s(params: usize, has_result: bool) -> Self {
        Self::new(
            std::iter::repeat_n(ValType::I32, params),
            has_result.then_some(ValType::I32),
        )
    }

    /// Reads a function type that another module can declare alike: not part of a recursion group, neither sub- nor
    /// supertype, not shared, and without references to other types of its module. `None` for any other type.
    pub(crate) fn portable(group: &wasmparser::RecGroup) -> Option<Self> {
        let mut types = group.types();
        let (Some(ty), None) = (types.next(), types.next()) else {
            return None;
        };
        if group.is_explicit_rec_group() || !ty.is_final || ty.supertype_idx.is_some() {
            return None;
        }
        let composite = &ty.composite_type;
        if composite.shared
            || composite.descriptor_idx.is_some()
            || composite.describes_idx.is_some()
        {
            return None;
        }
        let wasmparser::CompositeInnerType::Func(function) = &composite.inner else {
            return None;
        };
        let values = |types: &[wasmparser::ValType]| {
            types
                .iter()
                .map(|ty| portable_value(*ty))
                .collect::<Option<_>>()
        };
        Some(Self {
            params: values(function.params())?,
            results: values(function.results())?,
        })
    }

    pub(crate) fn params(&self) -> &[ValType] {
        &self.params
    }

    pub(crate) fn results(&self) -> &[ValType] {
        &self.results
    }
}

impl From<abi::Signature> for Signature {
    fn from(signature: abi::Signature) -> Self {
        let value = |ty: &abi::ValueType| match ty {
            abi::ValueType::I32 => ValType::I32,
            abi::ValueType::I64 => ValType::I64,
            abi::ValueType::F64 => ValType::F64,
        };
        Self::new(
            signature.params.iter().map(value),
            signature.result.iter().map(value),
        )
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        write_types(f, &self.params)?;
        f.write_str(") -> ")?;
        match &*self.results {
            [result] => f.write_str(name(*result)),
            results => {
                f.write_str("(")?;
                write_types(f, results)?;
                f.write_str(")")
            }
        }
    }
}

fn portable_value(ty: wasmparser::ValType) -> Option<ValType> {
    if let wasmparser::ValType::Ref(reference) = ty
        && reference.type_index().is_some()
    {
        return None;
    }
    RoundtripReencoder.val_type(ty).ok()
}

fn write_types(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    for (at, ty) in types.iter().enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        write!(f, "{separator}{}", name(*ty))?;
    }
    Ok(())
}

fn name(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "i32",
        ValType::I64 => "i64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
        ValType::V128 => "v128",
        ValType::FUNCREF => "funcref",
        ValType::EXTERNREF => "externref",
        ValType::Ref(_) => "ref",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_reads_like_the_abi_tables() {
        assert_eq!(Signature::of_i32s(2, true).to_string(), "(i32, i32) -> i32");
        assert_eq!(Signature::of_i32s(1, false).to_string(), "(i32) -> ()");
        let odd = Signature::new(
            [ValType::I64, ValType::EXTERNREF],
            [ValType::F64, ValType::V128],
        );
        assert_eq!(odd.to_string(), "(i64, externref) -> (f64, v128)");
    }
}

//! The function index space of main: WIT imports, legacy functions, the shim's functions, then generated ones.

use thiserror::Error;
use wasm_encoder::reencode::{self, Reencode};

use crate::index::to_u32;
use crate::plan::Plan;
use crate::shim::Shim;

/// Where functions are in main.
#[derive(Debug)]
pub(crate) struct FunctionIndices {
    /// By function index in the shim.
    of_shim: Vec<u32>,
    first_legacy: u32,
    first_answer: u32,
}

impl FunctionIndices {
    pub(crate) fn new(shim: &Shim, plan: &Plan<'_>) -> Self {
        let is_filled_in = shim
            .imports
            .iter()
            .map(|import| import.placeholder.is_some());
        let placeholders = is_filled_in
            .clone()
            .filter(|is_filled_in| *is_filled_in)
            .count();
        let first_legacy = to_u32(shim.imports.len() - placeholders);
        let first_defined = first_legacy + to_u32(plan.legacy_functions.len());
        let first_placeholder = first_defined + shim.defined_functions;
        let (mut kept, mut filled_in) = (0.., first_placeholder..);
        let imports = is_filled_in.filter_map(|is_filled_in| match is_filled_in {
            true => filled_in.next(),
            false => kept.next(),
        });
        Self {
            of_shim: imports.chain(first_defined..first_placeholder).collect(),
            first_legacy,
            first_answer: first_placeholder + to_u32(placeholders),
        }
    }

    /// A function of the shim, a placeholder included; `None` if it has no such function.
    pub(crate) fn of_shim(&self, function: u32) -> Option<u32> {
        self.of_shim.get(function as usize).copied()
    }

    /// A function of the legacy module, by its index in the plan.
    pub(crate) fn legacy(&self, function: usize) -> u32 {
        self.first_legacy + to_u32(function)
    }

    /// The first answer to an import of the legacy module. Just before it are the filled-in placeholders.
    pub(crate) fn first_answer(&self) -> u32 {
        self.first_answer
    }
}

/// Copies the shim's sections with its functions' new indices.
#[derive(Debug)]
pub(crate) struct Renumber<'a>(pub(crate) &'a FunctionIndices);

/// Code of the shim refers to a function that it does not have.
#[derive(Debug, Error)]
#[error("shim refers to function {0}, which it does not have")]
pub(crate) struct UnknownFunction(u32);

impl Reencode for Renumber<'_> {
    type Error = UnknownFunction;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<UnknownFunction>> {
        let renumbered = self.0.of_shim(function);
        renumbered.ok_or(reencode::Error::UserError(UnknownFunction(function)))
    }
}

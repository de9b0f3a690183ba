//! What linking tells beside the component.

use proxy_wasi_abi::AbiVersion;

use crate::imports::Answer;
use crate::plan::Plan;
use crate::signature::Signature;

/// What a user may want to know of a link.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LinkReport {
    /// The ABI that the module speaks.
    pub abi: AbiVersion,
    /// The callbacks that the module exports, in the ABI's order.
    pub callbacks: Vec<&'static str>,
    /// Imports that nobody implements, in the module's order.
    pub stubs: Vec<Stub>,
    /// Imports declared in a known variant of the ABI's signature, such as `env.proxy_grpc_call`.
    pub adapted: Vec<String>,
    /// Imports that the module declares more than once, one entry for each repetition. The two module names of WASI
    /// count as one.
    pub duplicates: Vec<String>,
    /// What became of the module's data segments.
    pub segments: SegmentReport,
}

/// An import that nobody implements.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stub {
    /// The import, as `env.proxy_foo`; control characters are escaped, and very long names cut.
    pub import: String,
    /// What the module expects it to be.
    pub signature: Signature,
    /// Why it is a stub.
    pub reason: StubReason,
    /// What a call of it gets.
    pub answer: StubAnswer,
}

/// Why an import is answered by a stub.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StubReason {
    /// A function of the ABI or of WASI that is not implemented.
    Unimplemented,
    /// A function of the ABI or of WASI, but declared with a signature that no known variant has.
    Signature,
    /// A function that neither the ABI nor WASI has.
    Unknown,
}

/// What a call of an unimplemented import gets, after it has been logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StubAnswer {
    /// This status: 12 (Unimplemented) from `env`, 52 (nosys) from WASI.
    Status(u32),
    /// Nothing: the import has no result.
    Nothing,
    /// A trap: no value of the import's result types would be honest.
    Trap,
}

/// Counts of data segments.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SegmentReport {
    /// Segments of the module that are written by the shim's module, so that engines can map them copy-on-write.
    pub moved: usize,
    /// As how many segments they are written.
    pub merged: usize,
    /// Active segments left to the module itself: their offset is no constant, or they lie outside its memory (then
    /// instantiation traps, as it would have without linking).
    pub kept: usize,
}

impl LinkReport {
    pub(crate) fn new(plan: &Plan<'_>, segments: SegmentReport) -> Self {
        let mut report = Self {
            abi: plan.abi,
            callbacks: plan.callback_names().collect(),
            stubs: Vec::new(),
            adapted: Vec::new(),
            duplicates: Vec::new(),
            segments,
        };
        for import in &plan.imports {
            if import.is_duplicate {
                report.duplicates.push(import.full_name());
            }
            match import.answer {
                Answer::Hostcall(_) | Answer::Exit => {}
                Answer::Adapted(_) => report.adapted.push(import.full_name()),
                Answer::Stub { reason, answer } => report.stubs.push(Stub {
                    import: import.full_name(),
                    signature: import.signature.clone(),
                    reason,
                    answer,
                }),
            }
        }
        report
    }
}

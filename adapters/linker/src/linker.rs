//! From a legacy module to a component.

use proxy_wasi_abi::AbiVersion;

use crate::encode::encode;
use crate::error::{LinkError, ShimError};
use crate::imports::{Answer, StubResult};
use crate::legacy;
use crate::main_module;
use crate::module::{Module, ParseError};
use crate::plan::Plan;
use crate::segments;
use crate::shim::Shim;
use crate::signature::Signature;
use crate::stub_names::StubNames;
use crate::wasm_magic;

/// Links legacy modules with one shim.
#[derive(Debug)]
pub struct Linker {
    shim: Shim,
    validate: bool,
}

/// What linking made.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Linked {
    /// The component's bytes. The same module, shim and release give the same bytes.
    pub component: Vec<u8>,
    /// What the linker found and did.
    pub report: LinkReport,
}

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
    /// Imports that the module declares more than once, one entry for each repetition.
    pub duplicates: Vec<String>,
    /// What became of the module's data segments.
    pub segments: SegmentReport,
}

/// An import that nobody implements.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stub {
    /// The import, as `env.proxy_foo`.
    pub import: String,
    /// What the module expects it to be.
    pub signature: Signature,
    /// What a call of it gets.
    pub answer: StubAnswer,
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

impl Linker {
    /// Reads a shim, usually `proxy_wasi_shim_artifact::SHIM`.
    ///
    /// # Errors
    ///
    /// If `shim` does not keep the contract between shim and linker, mostly because they are of different releases.
    pub fn new(shim: &[u8]) -> Result<Self, ShimError> {
        Ok(Self {
            shim: Shim::parse(shim)?,
            validate: false,
        })
    }

    /// Whether to validate components before they are handed out. Off by default: it takes longer than linking, and
    /// engines validate anyway. Without it, a module whose function bodies are invalid gives an invalid component.
    #[must_use]
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Turns a legacy module into a component that exports `proxy-wasm:plugin/http-plugin`.
    ///
    /// # Errors
    ///
    /// If `module` is not a legacy module, or one that Proxy-Wasm hosts would not run. An import that nobody knows is
    /// no error: see [`LinkReport::stubs`].
    pub fn link(&self, module: &[u8]) -> Result<Linked, LinkError> {
        wasm_magic::check(module)?;
        let module = Module::parse(module)?;
        let plan = Plan::new(&module, &self.shim)?;
        let library = legacy::rewrite(&module, &plan)?;
        let moved = library.segments.len();
        let segments = segments::merge(library.segments);
        let stub_names = StubNames::new(&plan.imports);
        let main = main_module::build(&self.shim, &plan, &stub_names, &segments)?;
        let component = encode(&main, &library.bytes, self.validate)?;
        let segments = SegmentReport {
            moved,
            merged: segments.len(),
            kept: library.kept_segments,
        };
        Ok(Linked {
            component,
            report: LinkReport::new(&plan, segments),
        })
    }
}

impl LinkReport {
    fn new(plan: &Plan<'_>, segments: SegmentReport) -> Self {
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
                Answer::Stub(result) => report.stubs.push(Stub {
                    import: import.full_name(),
                    signature: import.signature.clone(),
                    answer: result.into(),
                }),
            }
        }
        report
    }
}

impl From<StubResult> for StubAnswer {
    fn from(result: StubResult) -> Self {
        match result {
            StubResult::Code(code) => Self::Status(code),
            StubResult::Nothing => Self::Nothing,
            StubResult::Trap => Self::Trap,
        }
    }
}

impl From<ParseError> for LinkError {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Component => Self::AlreadyComponent,
            ParseError::Malformed(error) => error.into(),
        }
    }
}

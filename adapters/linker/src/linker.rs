//! From a legacy module to a component.

use crate::binary::{self, BinaryKind};
use crate::encode::encode;
use crate::error::{LinkError, ShimError};
use crate::legacy;
use crate::main_module;
use crate::module::Module;
use crate::plan::Plan;
use crate::report::{LinkReport, SegmentReport};
use crate::segments;
use crate::shim::Shim;
use crate::stub_names::StubNames;

/// Bytes. Far beyond any plugin (the largest known have 4 MiB), and far below where 32-bit sizes of a component end.
pub const MAX_MODULE_BYTES: usize = 256 * 1024 * 1024;

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

    /// Decides how to link a module, or why not.
    pub(crate) fn plan<'a>(&self, module: &'a Module<'_>) -> Result<Plan<'a>, LinkError> {
        let bytes = module.bytes.len();
        if bytes > MAX_MODULE_BYTES {
            return Err(LinkError::TooLarge { bytes });
        }
        Plan::new(module, &self.shim)
    }

    pub(crate) fn shim(&self) -> &Shim {
        &self.shim
    }

    /// Turns a legacy module into a component that exports `proxy-wasm:plugin/http-plugin`.
    ///
    /// # Errors
    ///
    /// If `module` is not a legacy module, or one that Proxy-Wasm hosts would not run. An import that nobody knows is
    /// no error: see [`LinkReport::stubs`].
    pub fn link(&self, module: &[u8]) -> Result<Linked, LinkError> {
        if binary::kind(module)? == BinaryKind::Component {
            return Err(LinkError::AlreadyComponent);
        }
        let module = Module::parse(module)?;
        let plan = self.plan(&module)?;
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

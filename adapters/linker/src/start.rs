//! What runs in a legacy module before its first callback (ABI reference 1.2, 1.3).

use crate::module::Module;
use crate::signature::Signature;

/// A step of a module's start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// The start section (AssemblyScript). It would have run at instantiation, so it comes first.
    Section,
    /// The export `_initialize` (most toolchains).
    Initialize,
    /// The export `main`: only after `_initialize`, with two zeros.
    Main,
    /// The export `__main_void`: only after `_initialize`, and without `main`.
    MainVoid,
    /// The export `_start`: only without `_initialize` (TinyGo, older toolchains).
    Command,
}

impl Start {
    /// The export that runs, or `start section`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Section => "start section",
            Self::Initialize => "_initialize",
            Self::Main => "main",
            Self::MainVoid => "__main_void",
            Self::Command => "_start",
        }
    }

    /// The signature that hosts call it with.
    pub(crate) fn signature(self) -> Signature {
        match self {
            Self::Section | Self::Initialize | Self::Command => Signature::of_i32s(0, false),
            Self::Main => Signature::of_i32s(2, true),
            Self::MainVoid => Signature::of_i32s(0, true),
        }
    }

    /// The steps of a module's start, by what it exports, in order. Envoy decides alike.
    pub(crate) fn steps(module: &Module<'_>) -> Vec<Self> {
        let exports = |step: &Self| module.exported_function(step.name()).is_some();
        let mut steps = Vec::new();
        steps.extend(module.start.map(|_| Self::Section));
        if exports(&Self::Initialize) {
            steps.push(Self::Initialize);
            steps.extend([Self::Main, Self::MainVoid].into_iter().find(exports));
        } else {
            steps.extend(Some(Self::Command).filter(exports));
        }
        steps
    }
}

/// The exported function that gives hosts memory: `malloc` first, as in Envoy, whatever the specification says.
pub(crate) fn allocator(module: &Module<'_>) -> Option<&'static str> {
    let mut names = ["malloc", "proxy_on_memory_allocate"].into_iter();
    names.find(|name| module.exported_function(name).is_some())
}

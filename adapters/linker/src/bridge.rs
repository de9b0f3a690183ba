//! The functions that replace the shim's imports from `proxy-wasi:bridge`.
//!
//! The shim lives in memory 0 and Rust cannot name another one, so whatever touches the legacy module's memory, which
//! is memory 1 of the same module, is generated.

use wasm_encoder::{Function, MemArg, ValType};

use crate::signature::Signature;

/// The memory that the shim's own code uses.
pub(crate) const SHIM_MEMORY: u32 = 0;
/// The legacy module's memory.
pub(crate) const LEGACY_MEMORY: u32 = 1;

/// A function of `proxy-wasi:bridge`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Bridge {
    CopyIn,
    CopyOut,
    MemoryPages,
    LoadU32,
    StoreU32,
    StoreU64,
    TakeExit,
    ThrowExit,
    AbiVersion,
    Callbacks,
    StubName,
}

/// What bridge functions refer to.
#[derive(Debug)]
pub(crate) struct BridgeItems {
    /// The tag of the exception that stands for `proc_exit`; carries the exit code.
    pub(crate) exit_tag: u32,
    /// The global that holds the pending exit: 0, or code + 1.
    pub(crate) exit_global: u32,
    /// The passive data segment with the names of all stubs.
    pub(crate) stub_names: u32,
    pub(crate) abi_version: u32,
    /// Bit i is set if the legacy module exports callback i.
    pub(crate) callbacks: u64,
}

impl Bridge {
    const ALL: [Self; 11] = [
        Self::CopyIn,
        Self::CopyOut,
        Self::MemoryPages,
        Self::LoadU32,
        Self::StoreU32,
        Self::StoreU64,
        Self::TakeExit,
        Self::ThrowExit,
        Self::AbiVersion,
        Self::Callbacks,
        Self::StubName,
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bridge| bridge.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CopyIn => "copy-in",
            Self::CopyOut => "copy-out",
            Self::MemoryPages => "memory-pages",
            Self::LoadU32 => "load-u32",
            Self::StoreU32 => "store-u32",
            Self::StoreU64 => "store-u64",
            Self::TakeExit => "take-exit",
            Self::ThrowExit => "throw-exit",
            Self::AbiVersion => "abi-version",
            Self::Callbacks => "callbacks",
            Self::StubName => "stub-name",
        }
    }

    pub(crate) fn signature(self) -> Signature {
        match self {
            Self::CopyIn | Self::CopyOut | Self::StubName => Signature::of_i32s(3, false),
            Self::MemoryPages | Self::TakeExit | Self::AbiVersion => Signature::of_i32s(0, true),
            Self::LoadU32 => Signature::of_i32s(1, true),
            Self::StoreU32 => Signature::of_i32s(2, false),
            Self::StoreU64 => Signature::new([ValType::I32, ValType::I64], []),
            Self::ThrowExit => Signature::of_i32s(1, false),
            Self::Callbacks => Signature::new([], [ValType::I64]),
        }
    }

    pub(crate) fn body(self, items: &BridgeItems) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        match self {
            Self::CopyIn => code
                .local_get(0)
                .local_get(1)
                .local_get(2)
                .memory_copy(SHIM_MEMORY, LEGACY_MEMORY),
            Self::CopyOut => code
                .local_get(0)
                .local_get(1)
                .local_get(2)
                .memory_copy(LEGACY_MEMORY, SHIM_MEMORY),
            Self::MemoryPages => code.memory_size(LEGACY_MEMORY),
            Self::LoadU32 => code.local_get(0).i32_load(unaligned()),
            Self::StoreU32 => code.local_get(0).local_get(1).i32_store(unaligned()),
            Self::StoreU64 => code.local_get(0).local_get(1).i64_store(unaligned()),
            Self::TakeExit => code
                .global_get(items.exit_global)
                .i32_const(0)
                .global_set(items.exit_global),
            Self::ThrowExit => code.local_get(0).throw(items.exit_tag),
            Self::AbiVersion => code.i32_const(items.abi_version.cast_signed()),
            Self::Callbacks => code.i64_const(items.callbacks.cast_signed()),
            Self::StubName => code
                .local_get(0)
                .local_get(1)
                .local_get(2)
                .memory_init(SHIM_MEMORY, items.stub_names),
        };
        code.end();
        function
    }
}

fn unaligned() -> MemArg {
    MemArg {
        offset: 0,
        align: 0,
        memory_index: LEGACY_MEMORY,
    }
}

//! Turns a legacy Proxy-Wasm module into a component, and says what a WebAssembly file is.
//!
//! Bytes in, bytes out: no file system, no engine, no panic whatever the bytes.
//!
//! The component is made of two core modules. The *shim* (`proxy-wasi:shim`, written in Rust) exports the component's
//! world and translates it to the Proxy-Wasm ABI; it is the main module and owns both memories. The legacy module
//! follows as a library: its code section is untouched, its imports come from the shim.
//!
//! | Step | File |
//! |---|---|
//! | see that it is one | `binary.rs` |
//! | read the module | `module.rs` |
//! | decide whether and how to link it | `plan.rs`, `imports.rs` |
//! | rewrite the legacy module | `legacy.rs`, `segments.rs` |
//! | complete the shim | `main_module.rs`, `bridge.rs`, `calls.rs`, `answers.rs` |
//! | put both into a component | `encode.rs`, `producers.rs` |
//!
//! Two files rewrite components of either kind for the host's engine: `reexport.rs`, to be called faster, and `hollow.rs`,
//! to be asked for their types only.
//!
//! ```
//! use proxy_wasi_linker::{LinkError, Linker};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let linker = Linker::new(proxy_wasi_shim_artifact::SHIM)?;
//! let module = wat::parse_str(
//!     r#"(module
//!         (import "env" "proxy_kv_store_open" (func (param i32 i32) (result i32)))
//!         (memory (export "memory") 1)
//!         (func (export "proxy_abi_version_0_2_1"))
//!         (func (export "malloc") (param i32) (result i32) (i32.const 1024))
//!         (func (export "proxy_on_tick") (param i32)))"#,
//! )?;
//! let linked = linker.link(&module)?;
//! assert_eq!(linked.report.callbacks, ["proxy_on_tick"]);
//! assert_eq!(linked.report.stubs[0].import, "env.proxy_kv_store_open");
//! assert_eq!(linker.link(&linked.component), Err(LinkError::AlreadyComponent));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod answers;
mod binary;
mod bridge;
mod calls;
mod encode;
mod error;
mod function_indices;
mod hollow;
mod imports;
mod index;
mod inspect;
mod legacy;
mod linker;
mod main_module;
mod module;
mod names;
mod plan;
mod producers;
mod reexport;
mod report;
mod segments;
mod shim;
mod signature;
mod start;
mod stub_names;

pub use proxy_wasi_abi::AbiVersion;

pub use binary::{BinaryError, BinaryKind, FEATURES, kind as binary_kind};
pub use error::{LinkError, ShimError};
pub use hollow::without_bodies;
pub use inspect::{
    Component, ComponentRole, CoreModule, ExportedCallback, ImportSupport, ImportedItem,
    Inspection, Kind, MemoryLimits, Refusal, Sdk, Sizes, Toolchain,
};
pub use linker::{Linked, Linker, MAX_MODULE_BYTES};
pub use producers::Producer;
pub use reexport::reexport_callbacks;
pub use report::{LinkReport, SegmentReport, Stub, StubAnswer, StubReason};
pub use signature::Signature;
pub use start::Start;

//! How each import of a legacy module is answered.

use std::collections::HashSet;

use proxy_wasi_abi::Status;
use proxy_wasi_abi::hostcall::{self, hostcall};
use proxy_wasi_abi::wasi::{self, Errno, wasi_function};
use wasm_encoder::ValType;

use crate::error::{LinkError, import_name};
use crate::module::Module;
use crate::report::{StubAnswer, StubReason};
use crate::shim::{Hostcall, Shim};
use crate::signature::Signature;

/// The module that hostcalls are imported from.
const ENV: &str = hostcall::MODULE;

/// An imported function and what answers it.
#[derive(Debug)]
pub(crate) struct Import<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
    pub(crate) type_index: u32,
    pub(crate) signature: &'a Signature,
    pub(crate) answer: Answer,
    /// The same module and name were imported before.
    pub(crate) is_duplicate: bool,
    /// Under which name main exports the answer.
    pub(crate) export: String,
}

/// What answers an import.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// The shim's function of that name; its index in the shim.
    Hostcall(u32),
    /// A generated function that calls the shim's, which has another signature.
    Adapted(Adaptation),
    /// `proc_exit`: a generated throw.
    Exit,
    /// A generated function that reports its name and then gives this answer.
    Stub {
        reason: StubReason,
        answer: StubAnswer,
    },
}

/// A variant of a hostcall that real modules declare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Adaptation {
    /// The hostcall's index in the shim.
    pub(crate) function: u32,
    /// What to call it with.
    pub(crate) arguments: &'static [Argument],
    /// The variant has no result, the hostcall has one.
    pub(crate) drops_result: bool,
}

/// An argument of an adapted call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Argument {
    /// The parameter with this index.
    Param(u32),
    /// An `i32` 0, where the variant has no such parameter.
    Zero,
}

/// A signature that differs from the hostcall's and is known from the wild.
struct Variant {
    key: &'static str,
    params: usize,
    has_result: bool,
    arguments: &'static [Argument],
}

use Argument::{Param, Zero};

/// AssemblyScript's old declarations lack gRPC metadata; the 0.1.0 specification text lacks some results.
const VARIANTS: &[Variant] = &[
    Variant {
        key: "env.proxy_grpc_call",
        params: 10,
        has_result: true,
        arguments: &[
            Param(0),
            Param(1),
            Param(2),
            Param(3),
            Param(4),
            Param(5),
            Zero,
            Zero,
            Param(6),
            Param(7),
            Param(8),
            Param(9),
        ],
    },
    Variant {
        key: "env.proxy_grpc_stream",
        params: 7,
        has_result: true,
        arguments: &[
            Param(0),
            Param(1),
            Param(2),
            Param(3),
            Param(4),
            Param(5),
            Zero,
            Zero,
            Param(6),
        ],
    },
    Variant {
        key: "env.proxy_continue_request",
        params: 0,
        has_result: false,
        arguments: &[],
    },
    Variant {
        key: "env.proxy_continue_response",
        params: 0,
        has_result: false,
        arguments: &[],
    },
    Variant {
        key: "env.proxy_clear_route_cache",
        params: 0,
        has_result: false,
        arguments: &[],
    },
];

impl Import<'_> {
    /// The import as its module names it, fit for a message: `env.proxy_log`.
    pub(crate) fn full_name(&self) -> String {
        import_name(self.module, self.name)
    }
}

/// Decides on every function that `module` imports, in the order of their indices.
pub(crate) fn plan<'a>(module: &'a Module<'_>, shim: &Shim) -> Result<Vec<Import<'a>>, LinkError> {
    // Both WASI module names lead to the same exports of main, so they also clash with each other.
    let mut seen = HashSet::new();
    let mut imports = Vec::with_capacity(module.imported_functions.len());
    for (index, import) in module.imported_functions.iter().enumerate() {
        let Some(signature) = module.signature(import.type_index) else {
            return Err(LinkError::ImportSignature {
                import: import_name(import.module, import.name),
            });
        };
        let key = key(import.module, import.name);
        let answer = answer(import.module, import.name, signature, shim);
        let is_duplicate = !seen.insert(key.clone());
        // A number makes other names unique, and the prefix keeps them apart from those that have a meaning in
        // components, whatever a module calls its imports.
        let is_there_already = matches!(answer, Answer::Hostcall(_)) && !is_duplicate;
        let export = if is_there_already {
            key
        } else {
            format!("import {index}: {key}")
        };
        imports.push(Import {
            module: import.module,
            name: import.name,
            type_index: import.type_index,
            signature,
            answer,
            is_duplicate,
            export,
        });
    }
    Ok(imports)
}

/// Decides on one import.
pub(crate) fn answer(module: &str, name: &str, signature: &Signature, shim: &Shim) -> Answer {
    if is_wasi(module) && name == "proc_exit" && *signature == Signature::of_i32s(1, false) {
        return Answer::Exit;
    }
    let key = key(module, name);
    // The shim's exports for legacy modules all begin with `env.` or `wasi.`, but so might an import from another
    // module, if that is called `env.x`.
    let offers_hostcalls = module == ENV || is_wasi(module);
    if let Some(hostcall) = shim.hostcall(&key).filter(|_| offers_hostcalls) {
        if hostcall.signature == *signature {
            return Answer::Hostcall(hostcall.function);
        }
        if let Some(adaptation) = adaptation(&key, signature, hostcall) {
            return Answer::Adapted(adaptation);
        }
    }
    let reason = match known_signature(module, name) {
        Some(known) if known == *signature => StubReason::Unimplemented,
        Some(_) => StubReason::Signature,
        None => StubReason::Unknown,
    };
    Answer::Stub {
        reason,
        answer: stub_answer(module, signature),
    }
}

/// The signature of a function of the ABI or of WASI, implemented or not.
pub(crate) fn known_signature(module: &str, name: &str) -> Option<Signature> {
    let signature = match module {
        ENV => hostcall(name)?.signature,
        _ if is_wasi(module) => wasi_function(name)?.signature,
        _ => return None,
    };
    Some(signature.into())
}

/// The name under which the shim would export the answer to an import.
fn key(module: &str, name: &str) -> String {
    let module = if is_wasi(module) { "wasi" } else { module };
    format!("{module}.{name}")
}

fn is_wasi(module: &str) -> bool {
    wasi::MODULES.contains(&module)
}

fn adaptation(key: &str, signature: &Signature, hostcall: &Hostcall) -> Option<Adaptation> {
    let variant = VARIANTS.iter().find(|variant| {
        variant.key == key && *signature == Signature::of_i32s(variant.params, variant.has_result)
    })?;
    // The table speaks of the ABI's signature; whatever the shim has must be just that.
    if hostcall.signature != Signature::of_i32s(variant.arguments.len(), true) {
        return None;
    }
    Some(Adaptation {
        function: hostcall.function,
        arguments: variant.arguments,
        drops_result: !variant.has_result,
    })
}

/// Success is never faked: a status only where there are statuses, and never a value that could be taken for more.
fn stub_answer(module: &str, signature: &Signature) -> StubAnswer {
    match signature.results() {
        [] => StubAnswer::Nothing,
        [ValType::I32] if module == ENV => StubAnswer::Status(Status::Unimplemented.into()),
        [ValType::I32] if is_wasi(module) => StubAnswer::Status(Errno::Nosys.into()),
        _ => StubAnswer::Trap,
    }
}

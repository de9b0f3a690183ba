//! What the host calls: the exports of the contract, expressed as callbacks of the legacy module.

mod foreign_function;
mod grpc_callout;
mod http_callout;
mod http_filter;
mod lifecycle;
mod shared_queue;
mod timer;

pub(crate) mod received;

use proxy_wasi_abi::LogLevel;

use crate::active::{self, Phase};
use crate::bindings::proxy_wasm::plugin::plugin_types::RootContext;
use crate::bridge;
use crate::contexts::{self, Context};
use crate::field_cache;
use crate::hostcalls::toolchain::decimal;
use crate::log;
use crate::stdio;

/// What the host calls is implemented for this.
pub(crate) struct Shim;

/// The exit code of a legacy module that ended a call with `proc_exit`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Exit(u32);

impl Exit {
    /// What happened, for the log or the host.
    fn text(self, function: &str) -> String {
        [
            "legacy module exited with code ",
            &decimal(self.0),
            " in `",
            function,
            "`",
        ]
        .concat()
    }
}

/// Calls the legacy module in a context.
#[inline]
fn try_call<R>(context: Context, phase: Phase, f: impl FnOnce() -> R) -> Result<R, Exit> {
    active::enter(context, phase);
    let result = f();
    active::leave();
    field_cache::clear();
    stdio::flush();
    match bridge::take_exit() {
        None => Ok(result),
        Some(code) => Err(Exit(code)),
    }
}

/// Calls an ordinary callback. See [`call_in`].
#[inline]
fn call<R>(context: Context, name: &str, f: impl FnOnce() -> R) -> R {
    call_in(Phase::Ordinary, context, name, f)
}

/// Calls a callback. After an exit the legacy module's state is beyond use, and so is this VM.
#[inline]
fn call_in<R>(phase: Phase, context: Context, name: &str, f: impl FnOnce() -> R) -> R {
    match try_call(context, phase, f) {
        Ok(result) => result,
        Err(exit) => log::abandon(&exit.text(name)),
    }
}

/// Calls a callback of a root context with its legacy id, if there is one.
fn call_root<R>(root: RootContext, name: &str, f: impl FnOnce(u32) -> R) -> Option<R> {
    let Some(context) = contexts::with(|contexts| contexts.root_context(root)) else {
        log::shim(
            LogLevel::Error,
            &["`", name, "` is dropped: its root context does not exist"].concat(),
        );
        return None;
    };
    Some(call(context, name, || f(context.id())))
}

#[expect(unsafe_code, reason = "the exports that the contract names")]
mod export {
    use super::Shim;

    crate::bindings::export!(Shim with_types_in crate::bindings);
}

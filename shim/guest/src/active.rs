//! Which context is running, and on whose behalf (ABI reference 4.1).

use std::cell::Cell;

use proxy_wasi_abi::{AbiVersion, Status};

use crate::bridge;
use crate::contexts::{self, Context};

/// What the running callback is, as far as hostcalls answer differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Any other callback.
    Ordinary,
    /// A root context is created or configured: the plugin's configuration is readable.
    Configuration,
    /// `proxy_on_log`.
    Log,
}

#[derive(Clone, Copy)]
struct Active {
    current: Context,
    effective: Context,
    phase: Phase,
}

const IDLE: Active = Active {
    current: Context::Vm,
    effective: Context::Vm,
    phase: Phase::Ordinary,
};

thread_local! {
    static ACTIVE: Cell<Active> = const { Cell::new(IDLE) };
    /// None until first asked for.
    static VERSION: Cell<Option<AbiVersion>> = const { Cell::new(None) };
}

/// A callback of `context` begins. Whatever context was effective is no more.
#[inline]
pub(crate) fn enter(context: Context, phase: Phase) {
    ACTIVE.set(Active {
        current: context,
        effective: context,
        phase,
    });
}

/// The callback has ended.
#[inline]
pub(crate) fn leave() {
    ACTIVE.set(IDLE);
}

/// The context that the host gave to the running callback.
pub(crate) fn current() -> Context {
    ACTIVE.get().current
}

/// The context that hostcalls act on.
#[inline]
pub(crate) fn effective() -> Context {
    ACTIVE.get().effective
}

/// What the running callback is.
pub(crate) fn phase() -> Phase {
    ACTIVE.get().phase
}

/// Has hostcalls act on another context until the callback ends, any that lives in this VM, or with 0 on the real one
/// again. That may be another plugin's: roots of one VM are the same code, which may keep the streams of all of them in
/// one list, and whose tick comes first lets them go on.
pub(crate) fn set_effective(id: u32) -> Result<(), Status> {
    let target = contexts::with(|contexts| contexts.find(id)).ok_or(Status::BadArgument)?;
    let active = ACTIVE.get();
    let effective = match target {
        Context::Vm => active.current,
        other @ (Context::Root { .. } | Context::Stream { .. }) => other,
    };
    ACTIVE.set(Active {
        effective,
        ..active
    });
    Ok(())
}

/// The version of the ABI that the legacy module speaks.
pub(crate) fn version() -> AbiVersion {
    if let Some(version) = VERSION.get() {
        return version;
    }
    let version = AbiVersion::from_code(bridge::abi_version()).unwrap_or(AbiVersion::V0_2_1);
    VERSION.set(Some(version));
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_context_that_lives_can_be_effective() {
        let (own, other, stream) = contexts::with(|contexts| {
            for root in [7, 8] {
                contexts.add_root(root, String::new(), String::new(), String::new());
                contexts.create_root(root);
            }
            let roots = (contexts.root_context(7), contexts.root_context(8));
            (
                roots.0.unwrap(),
                roots.1.unwrap(),
                contexts.create_stream(7, 100),
            )
        });
        enter(own, Phase::Ordinary);
        assert_eq!(set_effective(stream.id()), Ok(()));
        assert_eq!((current(), effective()), (own, stream));
        assert_eq!(set_effective(99), Err(Status::BadArgument));
        assert_eq!(effective(), stream);
        assert_eq!(set_effective(other.id()), Ok(()));
        assert_eq!((current(), effective()), (own, other));
        assert_eq!(set_effective(0), Ok(()));
        assert_eq!(effective(), own, "0 takes it back");

        enter(other, Phase::Ordinary);
        assert_eq!(effective(), other, "each callback begins as itself");
        assert_eq!(set_effective(stream.id()), Ok(()));
        assert_eq!(effective(), stream, "also of another plugin");
        leave();
        assert_eq!(current(), Context::Vm);
    }
}

//! Every function and callback of Proxy-Wasm, and what this host makes of it: the source of `docs/functions.md` and of the
//! table in the README.
//!
//! Whoever changes what a function does changes its entry here; a function without an entry fails a test.

mod callbacks;
mod hostcalls;
pub mod page;

pub use self::callbacks::CALLBACKS;
pub use self::hostcalls::HOSTCALLS;

/// Functions that belong together: a section of the ABI reference.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// What they are about.
    pub title: &'static str,
    /// The functions, in the ABI's order.
    pub functions: &'static [Function],
}

/// A function or callback, as legacy modules and components have it.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name in the ABI.
    pub name: &'static str,
    /// How it behaves for legacy modules.
    pub legacy: Support,
    /// The functions of the contract that take its place, as `interface.function`.
    pub wit: &'static [&'static str],
    /// How these behave.
    pub component: Support,
}

/// How a function behaves, measured by what Envoy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// As in Envoy.
    Works,
    /// Otherwise than in Envoy: how.
    Differs(&'static str),
    /// Not at all: why, or what takes its place.
    Absent(&'static str),
}

/// A function that does the same for both kinds of plugin.
const fn works(name: &'static str, wit: &'static [&'static str]) -> Function {
    Function {
        name,
        legacy: Support::Works,
        wit,
        component: Support::Works,
    }
}

/// A function that does the same for both kinds of plugin, and something else than in Envoy.
const fn differs(name: &'static str, wit: &'static [&'static str], how: &'static str) -> Function {
    Function {
        name,
        legacy: Support::Differs(how),
        wit,
        component: Support::Differs(how),
    }
}

/// A function that components have no need of.
const fn legacy_only(name: &'static str, legacy: Support, why: &'static str) -> Function {
    Function {
        name,
        legacy,
        wit: &[],
        component: Support::Absent(why),
    }
}

/// A function that nobody has.
const fn absent(name: &'static str, why: &'static str) -> Function {
    Function {
        name,
        legacy: Support::Absent(why),
        wit: &[],
        component: Support::Absent(why),
    }
}

/// Functions of the contract that no function of the ABI corresponds to.
pub const CONTRACT_ONLY: &[(&str, &str)] = &[
    (
        "http-callout.cancel",
        "gives up a call; its callback does not come",
    ),
    (
        "http-stream.narrow-interest",
        "gives up callbacks for the rest of a stream",
    ),
    (
        "trace.hostcall",
        "tells the host of each call of a module; only the tracing build of the shim imports it",
    ),
];

#[cfg(test)]
mod tests;

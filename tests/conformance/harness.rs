//! How a case runs: a script in a plugin, in a real proxy, between scripted peers.

mod callout;
mod case;
mod embedder;
mod module;
mod peer;
mod report;
mod script;

pub(crate) use callout::CALL;
pub(crate) use case::{Case, Running};
pub(crate) use module::Module;
pub(crate) use peer::{Peer, Upstream};
pub(crate) use report::Report;

/// Two tests of each scenario.
macro_rules! both_kinds {
    ($($(#[$attribute:meta])* $scenario:ident),* $(,)?) => {
        mod legacy {
            $(#[test] $(#[$attribute])* fn $scenario() { super::$scenario(proxy_wasi_test_support::Kind::Legacy); })*
        }
        mod wit {
            $(#[test] $(#[$attribute])* fn $scenario() { super::$scenario(proxy_wasi_test_support::Kind::Wit); })*
        }
    };
}
pub(crate) use both_kinds;

//! What of the contract this host does not do yet: a call answers that it is not supported, and is logged once.

/// An interface of `proxy-wasm:plugin` that is not built yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBuilt {
    /// Its name, without package and version.
    pub interface: &'static str,
    /// The hostcalls of legacy modules that need it. They answer 12 (Unimplemented).
    pub hostcalls: &'static [&'static str],
}

/// Every interface that is not built yet. Tests call all hostcalls and compare.
pub const NOT_BUILT: &[NotBuilt] = &[];

impl NotBuilt {
    /// Finds the interface that an import of a component, such as `proxy-wasm:plugin/http-callout@0.1.0`, needs.
    pub fn of_import(import: &str) -> Option<&'static Self> {
        let name = import.strip_prefix("proxy-wasm:plugin/")?;
        let name = name.split_once('@').map_or(name, |(name, _)| name);
        NOT_BUILT.iter().find(|missing| missing.interface == name)
    }

    /// Finds the interface that a hostcall of a legacy module needs.
    pub fn of_hostcall(name: &str) -> Option<&'static Self> {
        NOT_BUILT
            .iter()
            .find(|missing| missing.hostcalls.contains(&name))
    }
}

//! Which version of the ABI a module speaks (ABI reference 1.1).

use std::fmt;

use wasmparser::ExternalKind;

use crate::error::LinkError;
use crate::module::Module;

const MARKER_PREFIX: &str = "proxy_abi_version_";

/// A version of the Proxy-Wasm ABI.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AbiVersion {
    /// 0.1.0
    V0_1_0,
    /// 0.2.0
    V0_2_0,
    /// 0.2.1
    V0_2_1,
}

impl AbiVersion {
    /// The number by which generated code tells the shim: 100, 200 or 201.
    pub(crate) fn number(self) -> i32 {
        match self {
            Self::V0_1_0 => 100,
            Self::V0_2_0 => 200,
            Self::V0_2_1 => 201,
        }
    }

    fn from_marker(export: &str) -> Option<Self> {
        match export.strip_prefix(MARKER_PREFIX)? {
            "0_1_0" => Some(Self::V0_1_0),
            "0_2_0" => Some(Self::V0_2_0),
            "0_2_1" => Some(Self::V0_2_1),
            _ => None,
        }
    }

    /// The version of the first known marker in the order of the export section, as in Envoy: not the highest one.
    pub(crate) fn of(module: &Module<'_>) -> Result<Self, LinkError> {
        let mut unknown = None;
        for export in module
            .exports
            .iter()
            .filter(|export| export.kind == ExternalKind::Func)
        {
            if let Some(version) = Self::from_marker(export.name) {
                return Ok(version);
            }
            if export.name.starts_with(MARKER_PREFIX) {
                unknown = unknown.or(Some(export.name));
            }
        }
        Err(match unknown {
            Some(marker) => LinkError::UnknownAbiVersion {
                marker: marker.to_owned(),
            },
            None => LinkError::NoAbiVersion,
        })
    }
}

/// Shows `0.2.1`.
impl fmt::Display for AbiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_2_1 => "0.2.1",
        })
    }
}

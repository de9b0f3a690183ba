//! Components: of our world, of `wasi:http`, of others.

use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::Refusal;
use crate::binary::Nesting;

/// The package of the world that plugins are built for.
const PLUGIN_PACKAGE: &str = "proxy-wasm:plugin";
/// Its version. Plugins of other patch versions run too.
const PLUGIN_VERSION: &str = "0.1.0";
/// What every plugin exports.
const REQUIRED_EXPORTS: [&str; 2] = ["lifecycle", "http-filter"];

/// What a component asks for and offers.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Component {
    /// What it is for.
    pub role: ComponentRole,
    /// The version of `proxy-wasm:plugin` whose interfaces it exports.
    pub plugin_version: Option<String>,
    /// The interfaces of `proxy-wasm:plugin` that it exports, such as `http-filter`, in its own order.
    pub handlers: Vec<String>,
    /// All imports, such as `wasi:logging/logging@0.1.0-draft`, in its own order.
    pub imports: Vec<String>,
    /// All exports, in its own order.
    pub exports: Vec<String>,
    /// How many core modules it holds, nested components included.
    pub core_modules: usize,
}

/// What a component is for, judged by its exports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ComponentRole {
    /// A plugin: exports interfaces of `proxy-wasm:plugin`.
    Plugin,
    /// `wasi:http` middleware: exports `wasi:http/handler` and imports it.
    HttpMiddleware,
    /// A `wasi:http` service: exports `wasi:http/handler`, or `wasi:http/incoming-handler` as a proxy of WASI 0.2 does.
    HttpService,
    /// A command: exports `wasi:cli/run`.
    Command,
    /// Anything else.
    Other,
}

impl Component {
    /// Reads the imports and exports of a component, and checks its structure.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, wasmparser::Error> {
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        let (mut nesting, mut core_modules) = (Nesting::default(), 0);
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            validator.payload(&payload)?;
            let is_own = nesting.is_own(&payload);
            if let Payload::ModuleSection { .. } = payload {
                core_modules += 1;
            } else if let (Payload::ComponentImportSection(section), true) = (&payload, is_own) {
                for import in section.clone() {
                    imports.push(import?.name.name.to_owned());
                }
            } else if let (Payload::ComponentExportSection(section), true) = (&payload, is_own) {
                for export in section.clone() {
                    exports.push(export?.name.name.to_owned());
                }
            }
        }
        let plugin_exports = exports.iter().filter_map(|export| plugin_interface(export));
        let (handlers, versions): (Vec<&str>, Vec<&str>) = plugin_exports.unzip();
        Ok(Self {
            role: role(&imports, &exports),
            plugin_version: versions.first().map(|version| (*version).to_owned()),
            handlers: handlers.into_iter().map(str::to_owned).collect(),
            imports,
            exports,
            core_modules,
        })
    }

    /// Why the host will not run it.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        if self.handlers.is_empty() {
            let quoted: Vec<String> = self
                .exports
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            let exports = if quoted.is_empty() {
                "nothing, as if it were cut off".to_owned()
            } else {
                quoted.join(", ")
            };
            return Some(Refusal::NotPlugin { exports });
        }
        let mut versions = self
            .exports
            .iter()
            .filter_map(|export| plugin_interface(export));
        let release = release_line(PLUGIN_VERSION);
        if let Some((_, version)) = versions.find(|(_, version)| release_line(version) != release) {
            let found = if version.is_empty() {
                "(no version)"
            } else {
                version
            };
            return Some(Refusal::PluginVersion {
                found: found.to_owned(),
                supported: format!("{release}.x"),
            });
        }
        for export in REQUIRED_EXPORTS {
            if !self.handlers.iter().any(|handler| handler == export) {
                return Some(Refusal::MissingExport { export });
            }
        }
        let mut imports = self.imports.iter();
        let foreign = imports
            .find(|import| plugin_interface(import).is_none() && !import.starts_with("wasi:"))?;
        Some(Refusal::Import {
            import: foreign.clone(),
        })
    }
}

fn role(imports: &[String], exports: &[String]) -> ComponentRole {
    let has = |names: &[String], interface: &str| {
        names
            .iter()
            .any(|name| name.split('@').next() == Some(interface))
    };
    if exports
        .iter()
        .any(|export| plugin_interface(export).is_some())
    {
        ComponentRole::Plugin
    } else if has(exports, "wasi:http/handler") && has(imports, "wasi:http/handler") {
        ComponentRole::HttpMiddleware
    } else if has(exports, "wasi:http/handler") || has(exports, "wasi:http/incoming-handler") {
        ComponentRole::HttpService
    } else if has(exports, "wasi:cli/run") {
        ComponentRole::Command
    } else {
        ComponentRole::Other
    }
}

/// `proxy-wasm:plugin/http-filter@0.1.0` as `http-filter` and `0.1.0`. The version may be missing, and empty then.
fn plugin_interface(name: &str) -> Option<(&str, &str)> {
    let interface = name.strip_prefix(PLUGIN_PACKAGE)?.strip_prefix('/')?;
    Some(interface.split_once('@').unwrap_or((interface, "")))
}

/// The part of a version that must be equal for compatibility: `0.1` of `0.1.7`, `2` of `2.3.4`.
fn release_line(version: &str) -> &str {
    let mut dots = version.match_indices('.').map(|(at, _)| at);
    let end = if version.starts_with("0.") {
        dots.nth(1)
    } else {
        dots.next()
    };
    version
        .get(..end.unwrap_or(version.len()))
        .unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_contract() {
        let world = include_str!("../../../../wit/world.wit");
        assert!(world.starts_with(&format!("package {PLUGIN_PACKAGE}@{PLUGIN_VERSION};")));
    }

    #[test]
    fn release_lines_follow_semantic_versioning() {
        for (version, line) in [
            ("0.1.0", "0.1"),
            ("0.12.3-rc.1", "0.12"),
            ("1.2.3", "1"),
            ("3", "3"),
        ] {
            assert_eq!(release_line(version), line);
        }
    }
}

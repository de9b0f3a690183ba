//! What is said about a plugin beside whether it works.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proxy_wasi_linker::{Kind, Linker};
use proxy_wasi_shim_artifact::SHIM;

/// A line of the table, less its last column.
#[derive(Debug)]
pub(crate) struct Row {
    name: String,
    kind: String,
    bytes: usize,
    /// Of a legacy module; this build's code is hardly optimised, so compare rows, not hosts.
    link_time: Option<Duration>,
}

impl Row {
    /// The columns' titles.
    pub(crate) const TITLES: &str =
        "toolchain                 kind               KiB   link ms  result";

    pub(crate) fn of(plugin: &Path) -> Self {
        let bytes = fs::read(plugin).expect("the plugin was built");
        let linker = Linker::new(SHIM).expect("the shim is valid");
        let inspection = linker.inspect(&bytes).expect("the plugin is WebAssembly");
        let (kind, link_time) = match inspection.kind {
            Kind::LegacyModule(module) => {
                let start = Instant::now();
                linker.link(&bytes).expect("the module can be linked");
                let abi = module.abi.map_or_else(String::new, |abi| abi.to_string());
                (format!("module {abi}"), Some(start.elapsed()))
            }
            Kind::Plugin(_) => ("component".to_owned(), None),
            other => panic!("{} is no plugin: {other:?}", plugin.display()),
        };
        let name = plugin.file_stem().expect("it has a name");
        Self {
            name: name.to_string_lossy().into_owned(),
            kind,
            bytes: bytes.len(),
            link_time,
        }
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            kind,
            bytes,
            link_time,
        } = self;
        let link_time = link_time.map_or_else(
            || "-".to_owned(),
            |time| format!("{:.1}", time.as_secs_f64() * 1000.0),
        );
        let kib = bytes.div_ceil(1024);
        write!(f, "{name:<25} {kind:<14} {kib:>7} {link_time:>9} ")
    }
}

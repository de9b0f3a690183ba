//! What plugins do outside of streams, and share between workers and VMs.

mod end;
mod foreign_functions;
mod queues;
mod services;
mod shared_data;
mod timers;
mod wasi;

use std::path::PathBuf;

use proxy_wasi_test_support::{Example, Kind, Proxy};

use crate::proxy;

/// A proxy with the plugin for these tests.
fn serve(kind: Kind, configuration: &str) -> Proxy {
    proxy()
        .arg(Example::Events.file(kind))
        .args(["--plugin-config", configuration])
        .start()
}

/// A configuration file of plugins: their name, and the lines for it.
fn chain(kind: Kind, plugins: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let file: PathBuf = Example::Events.file(kind);
    let plugins: String = plugins
        .iter()
        .map(|(name, settings)| {
            format!(
                "  - {{name: {name}, file: '{}', {settings}}}\n",
                file.display()
            )
        })
        .collect();
    let config = tempfile::NamedTempFile::new().expect("a file can be made");
    std::fs::write(config.path(), format!("plugins:\n{plugins}")).expect("it can be written");
    config
}

/// The body of the plugin's answer.
fn ask(proxy: &Proxy, path: &str) -> String {
    let reply = proxy.get(path);
    assert_eq!(reply.status, 200, "{path}");
    reply.text().to_owned()
}

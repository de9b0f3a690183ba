//! Bodies and trailers: what plugins do to them, and what comes of it at either end.

mod edits;
mod ends;
mod example;
mod full_duplex;
mod trailers;

use std::net::SocketAddr;

use proxy_wasi_test_support::{Example, Kind, Origin, Proxy};

use crate::proxy;

/// A proxy with the plugin that does what the request header `x-do` says.
fn serve(kind: Kind, origin: &Origin) -> Proxy {
    serve_before(kind, &origin.url())
}

fn serve_before(kind: Kind, upstream: &str) -> Proxy {
    proxy()
        .arg(Example::Bodies.file(kind))
        .args(["--name", "bodies", "--upstream", upstream])
        .start()
}

/// As [`serve`], with the setting that keeps body callbacks coming while a head is held.
fn serve_stop_iteration(kind: Kind, upstream: SocketAddr) -> Proxy {
    let config = tempfile::NamedTempFile::new().expect("a file can be made");
    let file = Example::Bodies.file(kind);
    let text = format!(
        "upstream: http://{upstream}\nplugins:\n  - {{name: bodies, file: '{}', on_headers_pause: stop_iteration}}\n",
        file.display()
    );
    std::fs::write(config.path(), text).expect("it can be written");
    proxy().arg("--config").arg(config.path()).start()
}

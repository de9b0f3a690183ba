//! The real binary, real sockets: what users of `proxy-wasi serve` rely on.
//!
//! What both kinds of plugin can express is tested with both: a scenario takes a [`Kind`] and [`both_kinds!`] makes two
//! tests of it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what goes wrong in a test fails it, and says so"
)]

mod admin;
mod bodies;
mod callouts;
mod chain;
mod client_faults;
mod compose;
mod enemies;
mod events;
mod examples;
mod exchange;
mod grpc_callouts;
mod properties;
mod routes;
mod start;
mod stop;
mod tls;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use proxy_wasi_test_support::{Example, Kind, Proxy, ProxyBuilder};

const PROXY_WASI: &str = env!("CARGO_BIN_EXE_proxy-wasi");

/// A proxy to be started.
fn proxy() -> ProxyBuilder {
    ProxyBuilder::new(PROXY_WASI)
}

/// A proxy with one example before the built-in upstream.
fn serve(example: Example, kind: Kind) -> Proxy {
    proxy().arg(example.file(kind)).start()
}

/// Runs `proxy-wasi` with arguments to its end.
fn proxy_wasi<A: AsRef<std::ffi::OsStr>>(args: &[A]) -> std::process::Output {
    std::process::Command::new(PROXY_WASI)
        .args(args)
        .output()
        .expect("the binary runs")
}

/// A file with a legacy module, given as text. It lies in the tests' directory of the build.
fn module(wat: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("e2e-{}-{number}.wasm", std::process::id()));
    let bytes = wat::parse_str(wat).expect("the module is well-formed");
    std::fs::write(&file, bytes).expect("the file can be written");
    file
}

/// A configuration file.
fn configuration(yaml: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("e2e-{}-{number}.yaml", std::process::id()));
    std::fs::write(&file, yaml).expect("the file can be written");
    file
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

/// Two tests of each scenario.
macro_rules! both_kinds {
    ($($scenario:ident),* $(,)?) => {
        mod legacy {
            $(#[test] fn $scenario() { super::$scenario(proxy_wasi_test_support::Kind::Legacy); })*
        }
        mod wit {
            $(#[test] fn $scenario() { super::$scenario(proxy_wasi_test_support::Kind::Wit); })*
        }
    };
}
use both_kinds;

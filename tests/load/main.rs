//! The proxy under load: long bodies, many streams, slow clients, an end in the middle of it.
//!
//! Each test waits for what it has asked for and for nothing else, so a slow machine makes it slow, not red. They are
//! apart from the other end-to-end tests because each wants the machine for itself.
#![expect(
    clippy::expect_used,
    reason = "what goes wrong in a test fails it, and says so"
)]

mod bodies;
mod clients;
mod stop;

use std::sync::{Mutex, MutexGuard, PoisonError};

use proxy_wasi_test_support::ProxyBuilder;

/// A proxy to be started.
fn proxy() -> ProxyBuilder {
    ProxyBuilder::new(env!("CARGO_BIN_EXE_proxy-wasi")).args(["--no-access-log"])
}

/// One test at a time: memory and files are counted.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

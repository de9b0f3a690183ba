//! The plugins of tests/guests/toolchains, each served by the real binary: does what its toolchain makes of it behave?
//!
//! Run by `cargo xtask sdk-matrix`, which builds them and passes their paths; `cargo test` alone does not run it.
//!
//! ```text
//! sdk-matrix CACHE-DIRECTORY PLUGIN.wasm...
//! ```
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "what goes wrong in a test fails it, and says so; the table is this test's output"
)]

mod auth;
mod behaviour;
mod row;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use row::Row;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(cache), plugins) = (arguments.next(), arguments.collect::<Vec<_>>()) else {
        panic!("run this by `cargo xtask sdk-matrix`");
    };
    println!("{}", Row::TITLES);
    let mut passed = 0;
    for plugin in &plugins {
        // In threads, so that what panics fails only its own row.
        let row = thread::scope(|scope| scope.spawn(|| Row::of(plugin)).join());
        let check = if auth::is_one(plugin) {
            auth::check
        } else {
            behaviour::check
        };
        let outcome = thread::scope(|scope| scope.spawn(|| check(plugin, &cache)).join());
        let good = row.is_ok() && outcome.is_ok();
        let row = row.map_or_else(|_| plugin.display().to_string(), |row| row.to_string());
        println!("{row} {}", if good { "ok" } else { "FAILED" });
        passed += usize::from(good);
    }
    let failed = plugins.len() - passed;
    println!("\n{passed} passed, {failed} failed");
    ExitCode::from(u8::from(passed == 0 || failed > 0))
}

//! The `proxy-wasi` command.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod exit;
mod logging;

use std::process::ExitCode;

/// Half of what a proxied request costs is small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match args::parse().and_then(commands::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

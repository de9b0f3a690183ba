//! Development commands. `ci` runs all that must hold, the other checks among them.

use clap::{Parser, Subcommand};

mod bench;
mod ci;
mod demo;
mod fuzz;
mod sdk_matrix;
mod vendor_wit;
mod workspace;

/// Development commands of proxy-wasi.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure requests/s and CPU time against the budgets.
    Bench(bench::Args),
    /// Run tests, format, lints and checks of generated files, as CI does.
    Ci(ci::Args),
    /// Serve two example plugins in one filter chain, to try them with curl.
    Demo(demo::Args),
    /// Look for input that breaks a parser, for a while.
    Fuzz(fuzz::Args),
    /// Build a plugin with each toolchain that makes them, serve it and try it.
    SdkMatrix(sdk_matrix::Args),
    /// Write wit/deps: the parts of WASI that our contract uses.
    VendorWit(vendor_wit::Args),
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Bench(args) => bench::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::SdkMatrix(args) => sdk_matrix::run(&args),
        Command::VendorWit(args) => vendor_wit::run(&args),
    }
}

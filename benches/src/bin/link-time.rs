//! Links a legacy module a few times and prints the CPU time of each, as a JSON list of nanoseconds.

#![expect(clippy::print_stdout, reason = "the times are this program's output")]

use std::hint::black_box;
use std::path::PathBuf;

use clap::Parser;
use proxy_wasi_benches::cpu::ProcessClock;
use proxy_wasi_linker::Linker;
use proxy_wasi_shim_artifact::SHIM;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures how long linking takes.
#[derive(Debug, Parser)]
struct Args {
    /// A legacy module
    module: PathBuf,
    /// How often it is linked
    #[arg(long, default_value_t = 10)]
    times: usize,
}

fn main() -> wasmtime::Result<()> {
    let args = Args::parse();
    let module = std::fs::read(&args.module)?;
    let clock = ProcessClock::of(std::process::id().try_into()?)?;
    let mut times = Vec::with_capacity(args.times);
    for _ in 0..args.times {
        let start = clock.now()?;
        // The shim is read each time, as `serve` does for a module that is not in its cache.
        black_box(Linker::new(SHIM)?.link(&module)?);
        times.push((clock.now()? - start).as_nanos());
    }
    println!("{}", serde_json::to_string(&times)?);
    Ok(())
}

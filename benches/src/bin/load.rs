//! Makes requests, counts them and the CPU time of the proxy, and prints both as one line of JSON: see
//! [`proxy_wasi_benches::load`].

#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use proxy_wasi_benches::load::Load;
use tokio::runtime;
use tokio::task::LocalSet;

/// Makes requests and counts them.
#[derive(Debug, Parser)]
struct Args {
    /// The proxy's address
    target: SocketAddr,
    /// The proxy's process id
    process: i32,
    #[arg(long, default_value = "/")]
    path: String,
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Seconds before counting begins
    #[arg(long, default_value_t = 0.3)]
    warm_up: f64,
    /// Seconds that count
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// A header field that responses must have
    #[arg(long)]
    expected_field: Option<String>,
}

fn main() -> wasmtime::Result<()> {
    let args = Args::parse();
    let load = Load {
        target: args.target,
        process: args.process,
        path: args.path,
        connections: args.connections,
        warm_up: Duration::try_from_secs_f64(args.warm_up)?,
        duration: Duration::try_from_secs_f64(args.seconds)?,
        expected_field: args.expected_field,
    };
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = LocalSet::new().block_on(&runtime, load.run())?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

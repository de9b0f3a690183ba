//! Runs streams through a legacy module that reads ten fields, linked with the shim and embedded directly, and prints
//! the CPU time of one stream in both as JSON lists of nanoseconds, measured in turns.

#![expect(clippy::print_stdout, reason = "the times are this program's output")]

use std::path::PathBuf;

use clap::Parser;
use http::{Request, Response, request, response};
use proxy_wasi_benches::cpu::ProcessClock;
use proxy_wasi_benches::filter::Filter;
use proxy_wasi_benches::linked_host::LinkedHost;
use proxy_wasi_benches::reference_host::ReferenceHost;
use wasmtime::ensure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures a legacy module that reads ten fields.
#[derive(Debug, Parser)]
struct Args {
    /// The module `bench-reads-legacy`
    module: PathBuf,
    /// How often each host is measured
    #[arg(long, default_value_t = 21)]
    rounds: usize,
    /// Streams each time
    #[arg(long, default_value_t = 50_000)]
    streams: u32,
}

fn main() -> wasmtime::Result<()> {
    let args = Args::parse();
    let module = std::fs::read(&args.module)?;
    let (linked, direct) = (LinkedHost::new(&module)?, ReferenceHost::new(&module)?);
    let (mut linked_times, mut direct_times) = (Vec::new(), Vec::new());
    // The first round is there to warm up.
    for round in 0..=args.rounds {
        let linked = nanoseconds(&linked, args.streams)?;
        let direct = nanoseconds(&direct, args.streams)?;
        if round > 0 {
            linked_times.push(linked);
            direct_times.push(direct);
        }
    }
    println!(
        "{}",
        serde_json::json!({ "linked": linked_times, "direct": direct_times })
    );
    Ok(())
}

/// Returns the CPU time of one stream.
fn nanoseconds(host: &impl Filter, streams: u32) -> wasmtime::Result<f64> {
    let (mut request, response) = heads()?;
    let clock = ProcessClock::of(std::process::id().try_into()?)?;
    let start = clock.now()?;
    for _ in 0..streams {
        let (head, stream) = host.on_request(request)?;
        request = head;
        let answer = host.on_response(stream, response.clone())?;
        ensure!(
            answer.headers.contains_key("x-size"),
            "the module did nothing"
        );
    }
    Ok((clock.now()? - start).as_nanos() as f64 / f64::from(streams))
}

/// The heads that the load generator and the origin send.
fn heads() -> wasmtime::Result<(request::Parts, response::Parts)> {
    let (request, ()) = Request::get("/")
        .header("host", "127.0.0.1:8080")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )
        .header(
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        )
        .header("accept-encoding", "gzip, deflate, br, zstd")
        .header("accept-language", "en-US,en;q=0.5")
        .header(
            "cookie",
            "session=8f14e45fceea167a5a36dedd4bea2543; theme=dark",
        )
        .header("x-forwarded-proto", "https")
        .header("x-request-id", "7d444840-9dc0-41d1-8245-5ffdce74fad2")
        .body(())?
        .into_parts();
    let (response, ()) = Response::builder()
        .header("server", "origin/1.0")
        .header("content-type", "application/octet-stream")
        .header("content-length", "100")
        .body(())?
        .into_parts();
    Ok((request, response))
}

//! The bare proxy with a legacy module embedded the direct way: see [`proxy_wasi_benches::reference_host`].

use std::path::PathBuf;

use clap::Parser;
use proxy_wasi_benches::bare_proxy;
use proxy_wasi_benches::endpoint::Endpoint;
use proxy_wasi_benches::reference_host::ReferenceHost;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A reverse proxy with one legacy module.
#[derive(Debug, Parser)]
struct Args {
    /// The module
    module: PathBuf,
    #[command(flatten)]
    endpoint: Endpoint,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> wasmtime::Result<()> {
    let args = Args::parse();
    let upstream = args.endpoint.upstream()?;
    let host = ReferenceHost::new(&std::fs::read(&args.module)?)?;
    Ok(bare_proxy::serve(args.endpoint.listen().await?, upstream, host).await?)
}

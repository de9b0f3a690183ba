//! The reverse proxy that `proxy-wasi` without plugins is measured against: see [`proxy_wasi_benches::bare_proxy`].

use clap::Parser;
use proxy_wasi_benches::{bare_proxy, endpoint::Endpoint};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> wasmtime::Result<()> {
    let endpoint = Endpoint::parse();
    let upstream = endpoint.upstream()?;
    Ok(bare_proxy::serve(endpoint.listen().await?, upstream, ()).await?)
}

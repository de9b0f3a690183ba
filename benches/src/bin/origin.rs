//! The upstream of all proxies under test: see [`proxy_wasi_benches::origin`].

#![expect(
    clippy::print_stdout,
    reason = "the ready line is this program's output"
)]

use std::net::Ipv4Addr;

use proxy_wasi_benches::origin;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> wasmtime::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(origin::serve(listener).await?)
}

//! The arguments that the proxies here share with `proxy-wasi serve`.

#![expect(
    clippy::print_stdout,
    reason = "the ready line is output, as of `proxy-wasi serve`"
)]

use std::net::SocketAddr;

use clap::Parser;
use http::Uri;
use http::uri::Authority;
use tokio::net::TcpListener;
use wasmtime::error::Context;

/// Where to listen and where to forward to.
#[derive(Debug, Parser)]
pub struct Endpoint {
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The upstream, as `http://ADDRESS:PORT`
    #[arg(long)]
    upstream: Uri,
}

impl Endpoint {
    /// Returns the upstream's address and port.
    ///
    /// # Errors
    ///
    /// Fails if the URL has none.
    pub fn upstream(&self) -> wasmtime::Result<Authority> {
        self.upstream
            .authority()
            .cloned()
            .with_context(|| format!("no address in `{}`", self.upstream))
    }

    /// Starts to listen and prints the ready line.
    ///
    /// # Errors
    ///
    /// Fails if the address cannot be listened on.
    pub async fn listen(&self) -> wasmtime::Result<TcpListener> {
        let listener = TcpListener::bind(self.listen).await?;
        println!("listening on http://{}", listener.local_addr()?);
        Ok(listener)
    }
}

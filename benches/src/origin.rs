//! The upstream: answers every request with one of two fixed responses.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::message::is_complete_request;

/// The path that is answered with the large body; every other one gets the small body.
pub const LARGE_PATH: &str = "/large";

/// Bytes.
pub const SMALL_BODY: usize = 100;

/// Bytes.
pub const LARGE_BODY: usize = 1024 * 1024;

/// Answers requests without bodies, one at a time on each connection, until accepting fails.
///
/// # Errors
///
/// Fails if no connection can be accepted any more.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    let small: &[u8] = response(SMALL_BODY).leak();
    let large: &[u8] = response(LARGE_BODY).leak();
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        // A proxy that drops its connection ends the task, and that is all that should happen.
        tokio::spawn(async move { answer(socket, small, large).await.ok() });
    }
}

async fn answer(mut socket: TcpStream, small: &[u8], large: &[u8]) -> io::Result<()> {
    let large_start = format!("GET {LARGE_PATH} ");
    let mut request = Vec::with_capacity(8 * 1024);
    loop {
        request.clear();
        while !is_complete_request(&request) {
            if socket.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        let is_large = request.starts_with(large_start.as_bytes());
        socket
            .write_all(if is_large { large } else { small })
            .await?;
    }
}

/// A response with the fields that common servers send.
fn response(body: usize) -> Vec<u8> {
    let mut response = format!(
        "HTTP/1.1 200 OK\r\n\
         date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
         server: origin/1.0\r\n\
         content-type: application/octet-stream\r\n\
         content-length: {body}\r\n\
         cache-control: max-age=60\r\n\
         etag: \"5f3a-61c2\"\r\n\
         \r\n"
    )
    .into_bytes();
    response.resize(response.len() + body, b'x');
    response
}

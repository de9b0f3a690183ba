//! A client's TCP stream, with its activity noted, its requests scanned and its end made gentle.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connection::{ConnectionState, Order};
use super::framing::RequestScanner;

/// The stream under a connection.
#[derive(Debug)]
pub(super) struct ConnectionIo {
    stream: TcpStream,
    state: Rc<ConnectionState>,
    scanner: RequestScanner,
    /// Once our side is closed: how many bytes of the client are still read and dropped.
    discarding: Option<usize>,
}

/// Bytes. A client that is in the middle of an upload notices the response within this, or is not worth more.
const MAX_DISCARDED: usize = 16 * 1024 * 1024;

impl ConnectionIo {
    pub(super) fn new(
        stream: TcpStream,
        state: Rc<ConnectionState>,
        max_head_bytes: usize,
    ) -> Self {
        Self {
            stream,
            state,
            scanner: RequestScanner::new(max_head_bytes),
            discarding: None,
        }
    }

    fn scan(&mut self, bytes: &[u8]) {
        if let Some(refusal) = self.scanner.feed(bytes) {
            self.state.refuse(refusal);
        }
        if let Some(in_head) = self.scanner.is_in_head() {
            self.state.set_in_head(in_head);
        }
    }

    /// Reads and drops what the client still sends, until it has closed or the limit is reached.
    ///
    /// Closing a socket with unread bytes resets the connection, which can destroy a response that the client has
    /// not read (RFC 9112, 9.6). The worker ends connections that linger for too long.
    fn poll_discard(&mut self, cx: &mut Context<'_>, mut left: usize) -> Poll<()> {
        let mut space = [MaybeUninit::<u8>::uninit(); 8192];
        while left > 0 && self.state.order() < Order::Close {
            let mut buf = ReadBuf::uninit(&mut space);
            let read = Pin::new(&mut self.stream).poll_read(cx, &mut buf);
            let count = buf.filled().len();
            match read {
                Poll::Ready(Ok(())) if count > 0 => left = left.saturating_sub(count),
                Poll::Ready(Ok(()) | Err(_)) => break,
                Poll::Pending => {
                    self.discarding = Some(left);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for ConnectionIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.state.touch();
        self.scan(buf.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ConnectionIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.state.touch();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.state.touch();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let left = match self.discarding {
            Some(left) => left,
            None => {
                ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                if self.scanner.is_between_messages() {
                    return Poll::Ready(Ok(()));
                }
                self.state.start_lingering();
                MAX_DISCARDED
            }
        };
        self.poll_discard(cx, left).map(Ok)
    }
}

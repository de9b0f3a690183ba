//! Makes an HTTP/2 connection, and waits until it is known how many streams the server allows.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body;
use hyper::client::conn::http2::{self, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::super::body::RequestBody;
use super::super::connection::UpstreamConnection;
use super::super::error::{UpstreamError, UpstreamErrorKind};
use super::super::io::UpstreamIo;
use super::super::pool::{OpenGuard, Pool};
use super::connections::Opened;
use crate::BoxError;
use crate::executor::LocalExecutor;
use crate::flow_control::{STREAM_WINDOW, connection_window};

/// Streams of a connection whose server allows more, or any number. It bounds what the connection's responses can hold
/// (1 GiB, if nobody reads any of them), and with it the connection's window.
const MAX_STREAMS: u32 = 4096;

/// No server can ask for this, so that it stands for not having asked yet.
const UNKNOWN: usize = usize::MAX - 1;

/// Begins HTTP/2 on a new connection. It must have sent its settings until `deadline`.
pub(super) async fn establish<B>(
    pool: &Rc<Pool<B>>,
    io: UpstreamIo,
    open: OpenGuard,
    deadline: Instant,
) -> Result<Opened<B>, UpstreamError>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let failed =
        |source: BoxError| UpstreamError::new(UpstreamErrorKind::Connect, &pool.name, Some(source));
    let known = UpstreamConnection::of(&io);
    let settings = Rc::new(Awaited::default());
    let io = Watched {
        io,
        reads: Rc::clone(&settings),
    };
    let max_head = u32::try_from(pool.options.max_head_bytes).unwrap_or(u32::MAX);
    let (sender, connection) = http2::Builder::new(LocalExecutor)
        .max_header_list_size(max_head)
        .initial_max_send_streams(UNKNOWN)
        .initial_stream_window_size(STREAM_WINDOW)
        // Responses that nobody reads must leave all other streams their windows.
        .initial_connection_window_size(connection_window(MAX_STREAMS))
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| failed(error.into()))?;
    let connection = Rc::new(RefCell::new(Some(connection)));
    let driven = drive(Rc::clone(&connection));
    let (name, ended) = (Rc::clone(&pool.name), Rc::clone(&settings));
    tokio::task::spawn_local(async move {
        let _open = open;
        if let Err(error) = driven.await {
            tracing::debug!(cluster = &*name, %error, "upstream connection failed");
        }
        ended.notify();
    });
    let limit = limit(connection);
    let settled = async {
        while limit() == UNKNOWN && !sender.is_closed() {
            settings.changed.notified().await;
        }
    };
    if timeout_at(deadline, settled).await.is_err() {
        let kind = UpstreamErrorKind::ConnectTimeout;
        return Err(UpstreamError::new(kind, &pool.name, None));
    }
    settings.over.set(true);
    if sender.is_closed() {
        return Err(failed("the server closed before it began".into()));
    }
    Ok(Opened {
        sender,
        limit: Box::new(move || limit().min(MAX_STREAMS as usize)),
        known,
    })
}

type Shared<B> = Rc<RefCell<Option<Connection<TokioIo<Watched>, RequestBody<B>, LocalExecutor>>>>;

/// Runs a connection to its end, and drops it then: requests that wait for it come back.
async fn drive<B>(connection: Shared<B>) -> hyper::Result<()>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let result = poll_fn(|cx| match connection.borrow_mut().as_mut() {
        Some(connection) => Pin::new(connection).poll(cx),
        None => Poll::Ready(Ok(())),
    })
    .await;
    let ended = connection.borrow_mut().take();
    drop(ended);
    result
}

/// Asks a connection how many streams its server allows.
fn limit<B>(connection: Shared<B>) -> impl Fn() -> usize
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let last = Cell::new(UNKNOWN);
    move || {
        // A connection that is running polls bodies, and these may send requests.
        if let Ok(connection) = connection.try_borrow()
            && let Some(connection) = &*connection
        {
            last.set(connection.current_max_send_streams());
        }
        last.get()
    }
}

/// Tells that a connection has got something from its peer, for as long as somebody wants to know.
#[derive(Default)]
struct Awaited {
    changed: Notify,
    over: Cell<bool>,
}

impl Awaited {
    fn notify(&self) {
        if !self.over.get() {
            self.changed.notify_one();
        }
    }
}

/// A connection whose reads are noticed.
struct Watched {
    io: UpstreamIo,
    reads: Rc<Awaited>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.io).poll_read(cx, buffer));
        self.reads.notify();
        Poll::Ready(read)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

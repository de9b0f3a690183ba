//! One line per request: what was asked, what came of it, how much and how long.
//!
//! ```text
//! [2026-01-02T03:04:05.678Z] 192.0.2.1:50412 "GET /search?q=x HTTP/1.1" 200 0 5123 12.345 origin 0b5ab3c2-7d0e-4b62-9d2a-8f4c1e6d7a90
//! ```
//!
//! Time of arrival, client, method, target and protocol, status (0 if no response was begun), body bytes received and sent,
//! milliseconds until the end of the exchange, upstream, request id; `-` where there is none. A field that comes from
//! outside is in quotes and escaped if it holds anything but visible characters. What a client sent that is no request
//! has `"-"` in the place of one, and the status that it was answered with.
//!
//! A worker formats lines into memory of its own ([`AccessLog`]) and hands them over now and then to the one thread that
//! writes ([`AccessLogWriter`]), so that a slow disk or terminal never stops a worker. When that thread falls behind for
//! long, lines are dropped and counted instead.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method, Request, StatusCode, Uri, Version};
use memchr::memchr_iter;
use tokio::time::Instant;

use super::connection::ConnectionInfo;
use super::intermediary::X_REQUEST_ID;
use crate::clock;

mod line;

/// Between two hand-overs at most: soon enough to watch requests come in.
const FLUSH_INTERVAL: Duration = Duration::from_millis(250);
/// Bytes. Lines are handed over as soon as there are this many: few enough to be copied while still in the cache.
const FLUSH_SIZE: usize = 32 * 1024;
/// Blocks of lines that wait to be written, of all workers; with [`MAX_BUFFERED`], what a stopped reader can cost.
const MAX_QUEUED_BLOCKS: usize = 64;
/// Bytes that a worker keeps when the queue is full, before it drops lines.
const MAX_BUFFERED: usize = 256 * 1024;

/// The thread that writes the lines of all workers.
#[derive(Debug)]
pub struct AccessLogWriter {
    sender: SyncSender<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
}

impl AccessLogWriter {
    /// Starts a thread that writes to `output`, block by block; no further buffering is needed.
    ///
    /// # Errors
    ///
    /// Returns an error if the thread cannot be started.
    pub fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(MAX_QUEUED_BLOCKS);
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_blocks(output, &receiver))?;
        Ok(Self { sender, thread })
    }

    /// What a worker needs to make its [`AccessLog`]; can be sent to it.
    #[must_use]
    pub fn handle(&self) -> AccessLogHandle {
        AccessLogHandle(self.sender.clone())
    }

    /// Waits until everything is written: all [`AccessLog`]s and handles must have been dropped before.
    ///
    /// # Errors
    ///
    /// Returns the last error of writing if lines were lost.
    pub fn finish(self) -> io::Result<()> {
        drop(self.sender);
        self.thread
            .join()
            .unwrap_or_else(|_panic| Err(io::Error::other("the access log's thread panicked")))
    }
}

/// Writes on after an error: a disk that is full may have room again.
fn write_blocks(mut output: impl Write, receiver: &Receiver<Vec<u8>>) -> io::Result<()> {
    let mut last_error = Ok(());
    // Since the last block that was written.
    let mut lost = 0_usize;
    for block in receiver {
        match output.write_all(&block).and_then(|()| output.flush()) {
            Ok(()) if lost > 0 => {
                tracing::warn!(lost, "access log goes on; lines were lost");
                lost = 0;
            }
            Ok(()) => {}
            Err(error) => {
                if lost == 0 {
                    tracing::error!(%error, "access log pauses: lines are lost until writing succeeds again");
                }
                lost += memchr_iter(b'\n', &block).count();
                last_error = Err(error);
            }
        }
    }
    if lost > 0 {
        tracing::error!(lost, "access log ends; its last lines were lost");
    }
    last_error
}

/// The way from a worker to the [`AccessLogWriter`].
#[derive(Debug, Clone)]
pub struct AccessLogHandle(SyncSender<Vec<u8>>);

/// The access log of one worker.
///
/// Cheap to clone. Lines that were not handed over yet are when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct AccessLog(Rc<Buffer>);

impl AccessLog {
    /// Creates a worker's log, and a task that hands its lines over every 250 ms.
    ///
    /// # Panics
    ///
    /// Panics outside of a `LocalSet`.
    #[must_use]
    pub fn new(handle: AccessLogHandle) -> Self {
        let buffer = Rc::new(Buffer {
            lines: RefCell::default(),
            dropped: Cell::new(0),
            sender: handle.0,
        });
        tokio::task::spawn_local(flush_forever(Rc::downgrade(&buffer)));
        Self(buffer)
    }

    /// Writes the line of an exchange that has ended. Never blocks.
    pub fn write(&self, record: &AccessRecord) {
        self.0.write(record);
    }
}

async fn flush_forever(buffer: Weak<Buffer>) {
    loop {
        tokio::time::sleep(FLUSH_INTERVAL).await;
        match buffer.upgrade() {
            Some(buffer) => buffer.hand_over(),
            None => return,
        }
    }
}

/// Lines on their way to the writer.
#[derive(Debug)]
struct Buffer {
    lines: RefCell<Vec<u8>>,
    dropped: Cell<u64>,
    sender: SyncSender<Vec<u8>>,
}

impl Buffer {
    fn write(&self, record: &AccessRecord) {
        let mut lines = self.lines.borrow_mut();
        if lines.len() >= MAX_BUFFERED {
            self.dropped.set(self.dropped.get() + 1);
            return;
        }
        line::format(&mut lines, record);
        if lines.len() >= FLUSH_SIZE {
            drop(lines);
            self.hand_over();
        }
    }

    fn hand_over(&self) {
        let mut lines = self.lines.borrow_mut();
        if lines.is_empty() {
            return;
        }
        match self.sender.try_send(std::mem::take(&mut *lines)) {
            Ok(()) => {
                self.report_dropped();
            }
            // Not before it is full for good are lines lost.
            Err(TrySendError::Full(unsent)) => *lines = unsent,
            // The writer has panicked, which is in the log.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    fn report_dropped(&self) {
        let dropped = self.dropped.replace(0);
        if dropped > 0 {
            tracing::warn!(dropped, "access log lines dropped: the output was too slow");
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let lines = self.lines.take();
        if !lines.is_empty() {
            // The worker is done, so waiting hurts nobody; a stop has its limit. An error means that the writer has
            // panicked, which is in the log.
            let _ = self.sender.send(lines);
        }
        self.report_dropped();
    }
}

/// What is logged of one exchange.
#[derive(Debug, Clone)]
pub struct AccessRecord {
    began: Instant,
    time: SystemTime,
    peer: SocketAddr,
    /// None of what could not be read as a request.
    line: Option<RequestLine>,
    /// Of the response to the client; none if there was no response.
    pub status: Option<StatusCode>,
    /// Bytes of the request body that were received.
    pub request_bytes: u64,
    /// Bytes of the response body that were sent.
    pub response_bytes: u64,
    /// The name of the cluster that the request was sent to.
    pub upstream: Option<Arc<str>>,
    /// The request's id; the one it came with, until another is set.
    pub request_id: Option<HeaderValue>,
}

#[derive(Debug, Clone)]
struct RequestLine {
    method: Method,
    target: Uri,
    version: Version,
}

impl AccessRecord {
    /// Begins the record of a request that has just arrived; the other fields are filled in as they become known.
    #[must_use]
    pub fn new<B>(request: &Request<B>, connection: &ConnectionInfo) -> Self {
        Self {
            began: Instant::now(),
            time: clock::wall_clock(),
            peer: connection.peer,
            line: Some(RequestLine {
                method: request.method().clone(),
                target: request.uri().clone(),
                version: request.version(),
            }),
            status: None,
            request_bytes: 0,
            response_bytes: 0,
            upstream: None,
            request_id: request.headers().get(X_REQUEST_ID).cloned(),
        }
    }

    /// The record of what was no request, and was answered.
    pub(super) fn unreadable(peer: SocketAddr, status: StatusCode) -> Self {
        Self {
            began: Instant::now(),
            time: clock::wall_clock(),
            peer,
            line: None,
            status: Some(status),
            request_bytes: 0,
            response_bytes: 0,
            upstream: None,
            request_id: None,
        }
    }
}

#[cfg(test)]
mod tests;

//! One line for each request.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant, SystemTime};

use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, StatusCode, Version};

use super::ConnectionInfo;

/// How long a line may wait for others before it is written: short enough to watch, long enough to save most writes.
const FLUSH_INTERVAL: Duration = Duration::from_millis(250);

/// Bytes of lines that wait. More are written at once.
const BUFFER: usize = 32 * 1024;

/// What a line says.
#[derive(Debug)]
pub struct AccessRecord {
    started: Instant,
    connection: Rc<ConnectionInfo>,
    method: Method,
    path: Option<PathAndQuery>,
    version: Version,
    /// The request's id, once it has one.
    pub request_id: Option<HeaderValue>,
    /// Of the response; nothing if there was none.
    pub status: Option<StatusCode>,
    /// Bytes of the response's body that went downstream.
    pub response_bytes: u64,
}

impl AccessRecord {
    /// Begins a record when a request comes in.
    pub fn new<B>(request: &Request<B>, connection: &Rc<ConnectionInfo>) -> Self {
        Self {
            started: Instant::now(),
            connection: Rc::clone(connection),
            method: request.method().clone(),
            path: request.uri().path_and_query().cloned(),
            version: request.version(),
            request_id: None,
            status: None,
            response_bytes: 0,
        }
    }
}

impl fmt::Display for AccessRecord {
    /// `TIME PEER "METHOD PATH VERSION" STATUS BYTES DURATION REQUEST-ID`. A status of 0 means that there was no
    /// response.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} \"{} {} {:?}\" {} {} {:.3}ms {}",
            humantime::format_rfc3339_millis(SystemTime::now()),
            self.connection.peer,
            self.method,
            self.path.as_ref().map_or("-", PathAndQuery::as_str),
            self.version,
            self.status.map_or(0, |status| status.as_u16()),
            self.response_bytes,
            self.started.elapsed().as_secs_f64() * 1e3,
            self.request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or("-"),
        )
    }
}

/// The access log of a worker: lines on standard error, written a few at a time, all of them at the end.
#[derive(Debug)]
pub struct AccessLog(Rc<RefCell<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<u8>,
    timer: bool,
}

impl AccessLog {
    /// An empty log.
    #[expect(clippy::new_without_default, reason = "a log that nobody asked for should not come by itself")]
    pub fn new() -> Self {
        Self(Rc::default())
    }

    /// Adds a line.
    pub fn write(&self, record: AccessRecord) {
        let mut lines = self.0.borrow_mut();
        // Writing to a vector does not fail.
        let _ = writeln!(lines.waiting, "{record}");
        if lines.waiting.len() >= BUFFER {
            lines.flush();
        } else if !lines.timer {
            lines.timer = true;
            tokio::task::spawn_local(flush_later(Rc::downgrade(&self.0)));
        }
    }
}

async fn flush_later(lines: Weak<RefCell<Lines>>) {
    tokio::time::sleep(FLUSH_INTERVAL).await;
    if let Some(lines) = lines.upgrade() {
        let mut lines = lines.borrow_mut();
        lines.timer = false;
        lines.flush();
    }
}

impl Lines {
    fn flush(&mut self) {
        // A log that cannot be written must not stop the proxy, and there is nowhere else to say so.
        let _ = io::stderr().lock().write_all(&self.waiting);
        self.waiting.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
    }
}

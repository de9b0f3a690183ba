//! The HTTP/2 connections of one worker to one cluster, and how many streams of each are in use.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use hyper::client::conn::http2::SendRequest;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::super::body::RequestBody;
use super::super::connection::UpstreamConnection;
use super::super::error::UpstreamErrorKind;

/// The connections that further requests may use. Others may still carry exchanges.
pub(in crate::upstream) struct H2Connections<B> {
    open: RefCell<Vec<H2Connection<B>>>,
    attempt: RefCell<Option<Rc<Attempt>>>,
    last_id: Cell<u64>,
}

struct H2Connection<B> {
    /// Tells connections apart.
    id: u64,
    opened: Opened<B>,
    /// In use.
    streams: Rc<Cell<usize>>,
    used_at: Cell<Instant>,
}

/// A new connection.
pub(super) struct Opened<B> {
    pub(super) sender: SendRequest<RequestBody<B>>,
    /// How many streams the server allows at the moment.
    pub(super) limit: Box<dyn Fn() -> usize>,
    pub(super) known: Option<Rc<UpstreamConnection>>,
}

/// A stream of a connection, for one request.
pub(super) struct OpenStream<B> {
    pub(super) sender: SendRequest<RequestBody<B>>,
    pub(super) known: Option<Rc<UpstreamConnection>>,
    /// Of the connection, see [`H2Connections::distrust`].
    pub(super) id: u64,
    pub(super) guard: Rc<StreamGuard>,
}

/// Counts a stream for as long as it lives.
#[derive(Debug)]
pub(in crate::upstream) struct StreamGuard(Rc<Cell<usize>>);

impl StreamGuard {
    fn new(streams: &Rc<Cell<usize>>) -> Rc<Self> {
        streams.set(streams.get() + 1);
        Rc::new(Self(Rc::clone(streams)))
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// A connection in the making, waited for by all requests of that time.
///
/// It runs as a task of its own: the request that began it may be cancelled, the others still want the connection.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) finished: Notify,
    /// The kind, and what the error came from if anything.
    pub(super) failure: OnceCell<(UpstreamErrorKind, Option<String>)>,
}

impl<B> H2Connections<B> {
    /// The first connection with room, so that the last ones age.
    pub(super) fn take_stream(&self) -> Option<OpenStream<B>> {
        let mut open = self.open.borrow_mut();
        open.retain(|connection| !connection.opened.sender.is_closed());
        open.iter().find_map(H2Connection::take_stream)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.borrow().is_empty()
    }

    /// The attempt that is under way, or a new one, which the caller has to make.
    pub(super) fn attempt(&self) -> (Rc<Attempt>, bool) {
        let mut attempt = self.attempt.borrow_mut();
        let is_new = attempt.is_none();
        (Rc::clone(attempt.get_or_insert_default()), is_new)
    }

    /// Ends the attempt, with a connection or without.
    pub(super) fn attempted(&self, opened: Option<Opened<B>>) {
        *self.attempt.borrow_mut() = None;
        if let Some(opened) = opened {
            self.last_id.set(self.last_id.get() + 1);
            self.open.borrow_mut().push(H2Connection {
                id: self.last_id.get(),
                opened,
                streams: Rc::default(),
                used_at: Cell::new(Instant::now()),
            });
        }
    }

    /// Lets go of connections that are closed, or were not used for `timeout`. Exchanges on them end undisturbed.
    pub(in crate::upstream) fn sweep(&self, now: Instant, timeout: Duration) {
        self.open.borrow_mut().retain(|connection| {
            if connection.streams.get() > 0 {
                connection.used_at.set(now);
            }
            !connection.opened.sender.is_closed() && connection.used_at.get() + timeout > now
        });
    }

    /// Lets go of a connection that may be dead.
    pub(super) fn distrust(&self, id: u64) {
        let mut open = self.open.borrow_mut();
        open.retain(|connection| connection.id != id);
    }
}

impl<B> H2Connection<B> {
    fn take_stream(&self) -> Option<OpenStream<B>> {
        if self.streams.get() >= (self.opened.limit)() {
            return None;
        }
        self.used_at.set(Instant::now());
        Some(OpenStream {
            sender: self.opened.sender.clone(),
            known: self.opened.known.clone(),
            id: self.id,
            guard: StreamGuard::new(&self.streams),
        })
    }
}

impl<B> Default for H2Connections<B> {
    fn default() -> Self {
        Self {
            open: RefCell::default(),
            attempt: RefCell::default(),
            last_id: Cell::new(0),
        }
    }
}

impl<B> fmt::Debug for H2Connections<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("H2Connections")
            .field("open", &self.open.borrow().len())
            .finish_non_exhaustive()
    }
}

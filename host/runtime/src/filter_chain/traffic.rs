//! What has happened in an exchange, beside its messages: times, sizes, the upstream. Only properties ask for it, so
//! what can be found out later is, and noting the rest is a store each.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use super::bodies::Received;
use crate::clock;
use crate::upstream::{UpstreamConnection, UpstreamErrorKind};

/// What has happened in an exchange so far.
#[derive(Debug)]
pub(crate) struct Traffic {
    began: Instant,
    /// The time of day at which it began, once somebody has asked.
    began_at: Cell<Option<SystemTime>>,
    /// How long it took, once it is over and somebody has asked.
    took: Cell<Option<Duration>>,
    received: Received,
    sent: Cell<u64>,
    attempted: Cell<bool>,
    answered: Cell<bool>,
    upstream: RefCell<Option<Rc<UpstreamConnection>>>,
    failure: Cell<Option<UpstreamErrorKind>>,
    latency: Cell<Option<Duration>>,
}

impl Traffic {
    /// Begins now. `received` counts the request's body.
    pub(crate) fn new(received: Received) -> Self {
        Self {
            began: Instant::now(),
            began_at: Cell::new(None),
            took: Cell::new(None),
            received,
            sent: Cell::new(0),
            attempted: Cell::new(false),
            answered: Cell::new(false),
            upstream: RefCell::default(),
            failure: Cell::new(None),
            latency: Cell::new(None),
        }
    }

    /// When the request came. The same for whoever asks.
    pub(crate) fn began_at(&self) -> SystemTime {
        self.began_at.get().unwrap_or_else(|| {
            let at = clock::wall_clock() - self.began.elapsed();
            self.began_at.set(Some(at));
            at
        })
    }

    /// How long the exchange took: for when it is over. The same for whoever asks.
    pub(crate) fn took(&self) -> Duration {
        self.took.get().unwrap_or_else(|| {
            let took = self.began.elapsed();
            self.took.set(Some(took));
            took
        })
    }

    /// Bytes received of the request's body.
    pub(crate) fn received(&self) -> u64 {
        self.received.bytes()
    }

    /// Bytes sent of the response's body.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Notes that so many more were sent.
    #[inline]
    pub(crate) fn add_sent(&self, bytes: usize) {
        self.sent.set(self.sent.get() + bytes as u64);
    }

    /// Whether the request was sent to an upstream, or that was tried.
    pub(crate) fn attempted(&self) -> bool {
        self.attempted.get()
    }

    /// Notes that the request goes to an upstream.
    pub(crate) fn attempt(&self) {
        self.attempted.set(true);
    }

    /// The connection to the upstream that answered.
    pub(crate) fn upstream(&self) -> Option<Rc<UpstreamConnection>> {
        self.upstream.borrow().clone()
    }

    /// Whether an upstream has answered, be it the built-in one.
    pub(crate) fn has_answer(&self) -> bool {
        self.answered.get()
    }

    /// Notes that the upstream has answered, and over which connection.
    pub(crate) fn answered(&self, upstream: Option<Rc<UpstreamConnection>>) {
        self.answered.set(true);
        *self.upstream.borrow_mut() = upstream;
    }

    /// Why the upstream did not answer.
    pub(crate) fn failure(&self) -> Option<UpstreamErrorKind> {
        self.failure.get()
    }

    /// Notes why the upstream did not answer.
    pub(crate) fn failed(&self, kind: UpstreamErrorKind) {
        self.failure.set(Some(kind));
    }

    /// From the first byte sent to the upstream to the last one that came back.
    pub(crate) fn latency(&self) -> Option<Duration> {
        self.latency.get()
    }

    /// Notes that the upstream's response has ended, so long after the request was sent.
    pub(crate) fn response_ended(&self, latency: Duration) {
        self.latency.set(Some(latency));
    }
}

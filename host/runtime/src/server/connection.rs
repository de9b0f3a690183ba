//! What is known about a connection, by the service and by the worker that watches over it.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};

use http::Version;
use slab::Slab;
use tokio::time::Instant;

use super::framing::Refusal;
use super::intermediary::Rejection;
use crate::clock::CoarseClock;

/// The protocol a client speaks on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DownstreamProtocol {
    /// HTTP/1.0 or HTTP/1.1; the version is a property of each request.
    Http1,
    /// HTTP/2 over TCP with prior knowledge.
    Http2,
}

/// A connection, as the service sees it; the same for all its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Counts the connections of the process, from 1.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// The address the client connected to.
    pub local: SocketAddr,
    /// What is spoken.
    pub protocol: DownstreamProtocol,
}

/// What the worker wants of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Nothing.
    Serve,
    /// To end after its open exchanges, at once if there are none.
    Finish,
    /// To end now.
    Close,
}

/// The state that a connection's I/O, its exchanges and the worker share.
#[derive(Debug)]
pub(super) struct ConnectionState {
    id: u64,
    peer: SocketAddr,
    local: SocketAddr,
    info: OnceCell<Rc<ConnectionInfo>>,
    clock: Rc<CoarseClock>,
    /// Since when each exchange waits for the client to take a part of its response; none if it does not.
    exchanges: RefCell<Slab<Option<Instant>>>,
    active_at: Cell<Instant>,
    /// Since when there is no exchange.
    idle_since: Cell<Instant>,
    head_since: Cell<Option<Instant>>,
    lingers_since: Cell<Option<Instant>>,
    requests: Cell<u64>,
    refusal: Cell<Option<Refusal>>,
    draining: Cell<bool>,
    finishing_since: Cell<Option<Instant>>,
    order: Cell<Order>,
    waker: RefCell<Option<Waker>>,
}

impl ConnectionState {
    pub(super) fn new(peer: SocketAddr, local: SocketAddr, clock: Rc<CoarseClock>) -> Self {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        let now = clock.now();
        Self {
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
            peer,
            local,
            info: OnceCell::new(),
            clock,
            exchanges: RefCell::default(),
            active_at: Cell::new(now),
            idle_since: Cell::new(now),
            // A client that connects owes a request.
            head_since: Cell::new(Some(now)),
            lingers_since: Cell::new(None),
            requests: Cell::new(0),
            refusal: Cell::new(None),
            draining: Cell::new(false),
            finishing_since: Cell::new(None),
            order: Cell::new(Order::Serve),
            waker: RefCell::new(None),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// What the service is told, complete with the first request.
    pub(super) fn info(&self, version: Version) -> &Rc<ConnectionInfo> {
        self.info.get_or_init(|| {
            Rc::new(ConnectionInfo {
                id: self.id,
                peer: self.peer,
                local: self.local,
                protocol: if version == Version::HTTP_2 {
                    DownstreamProtocol::Http2
                } else {
                    DownstreamProtocol::Http1
                },
            })
        })
    }

    /// `None` before the first request.
    pub(super) fn protocol(&self) -> Option<DownstreamProtocol> {
        self.info.get().map(|info| info.protocol)
    }

    /// Notes that bytes were moved.
    pub(super) fn touch(&self) {
        self.active_at.set(self.clock.now());
    }

    /// When bytes were moved last.
    pub(super) fn active_at(&self) -> Instant {
        self.active_at.get()
    }

    /// Since when there is no exchange; meaningless while there is one.
    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since.get()
    }

    /// Notes that the client has begun a request head, or, with `false`, is not in the middle of one.
    pub(super) fn set_in_head(&self, in_head: bool) {
        match (in_head, self.head_since.get()) {
            (true, None) => self.head_since.set(Some(self.clock.now())),
            (false, Some(_)) => self.head_since.set(None),
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// Since when the client owes the rest of a request head.
    pub(super) fn head_since(&self) -> Option<Instant> {
        self.head_since.get()
    }

    /// Notes that the connection is over for us, and only waits for the client to read the last response.
    pub(super) fn start_lingering(&self) {
        self.lingers_since.set(Some(self.clock.now()));
    }

    /// Since when the connection is over but for the client's reading.
    pub(super) fn lingers_since(&self) -> Option<Instant> {
        self.lingers_since.get()
    }

    /// Notes that a request that is on its way must be refused.
    pub(super) fn refuse(&self, refusal: Refusal) {
        self.refusal.set(Some(refusal));
    }

    /// Counts a request, and an exchange until the guard is dropped. With a rejection if the request must be refused.
    pub(super) fn begin_exchange(
        self: &Rc<Self>,
        version: Version,
    ) -> (ExchangeGuard, Option<Rejection>) {
        if version == Version::HTTP_2 {
            // Nobody else sees where its heads end.
            self.head_since.set(None);
        }
        let key = self.exchanges.borrow_mut().insert(None);
        self.requests.set(self.requests.get() + 1);
        let refusal = self
            .refusal
            .get()
            .filter(|refusal| refusal.request == self.requests.get());
        (
            ExchangeGuard {
                connection: Rc::clone(self),
                key,
            },
            refusal.map(|refusal| refusal.rejection),
        )
    }

    /// Exchanges that have begun and not ended.
    pub(super) fn exchanges(&self) -> usize {
        self.exchanges.borrow().len()
    }

    /// Since when the client leaves a part of some response lying.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        self.exchanges
            .borrow()
            .iter()
            .filter_map(|(_, since)| *since)
            .min()
    }

    /// From now on, each response is the last one of its connection.
    pub(super) fn start_draining(&self) {
        self.draining.set(true);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Gives an order and wakes the connection to take it.
    pub(super) fn give_order(&self, order: Order) {
        if order > self.order.get() {
            self.order.set(order);
            if order == Order::Finish {
                self.finishing_since.set(Some(self.clock.now()));
            }
            if let Some(waker) = self.waker.borrow().as_ref() {
                waker.wake_by_ref();
            }
        }
    }

    /// Since when the connection is to end after its open exchanges.
    pub(super) fn finishing_since(&self) -> Option<Instant> {
        self.finishing_since.get()
    }

    pub(super) fn order(&self) -> Order {
        self.order.get()
    }

    /// The present order; a later one wakes the task.
    pub(super) fn poll_order(&self, cx: &mut Context<'_>) -> Order {
        let mut waker = self.waker.borrow_mut();
        if !waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        self.order.get()
    }
}

/// An open exchange of a connection.
#[derive(Debug)]
pub(super) struct ExchangeGuard {
    connection: Rc<ConnectionState>,
    key: usize,
}

impl ExchangeGuard {
    /// Notes that the client has a part of the response to take, or, with `false`, asks for the next.
    pub(super) fn set_waiting(&self, waiting: bool) {
        let since = waiting.then(|| self.connection.clock.now());
        if let Some(slot) = self.connection.exchanges.borrow_mut().get_mut(self.key) {
            *slot = since;
        }
    }
}

impl Drop for ExchangeGuard {
    fn drop(&mut self) {
        self.connection.exchanges.borrow_mut().try_remove(self.key);
        self.connection.touch();
        self.connection.idle_since.set(self.connection.clock.now());
    }
}

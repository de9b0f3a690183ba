//! One request and its response on their way through the filter chain.

mod access;
mod callbacks;
mod deviations;
mod flat;
mod outbox;
mod pump;
mod resets;

use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use http::{HeaderValue, Version};
use proxy_wasi_stream::{Effect, Interest, RequestHead, Stream};
use smallvec::SmallVec;

use self::outbox::{Outbox, Wakers, wake};
pub(super) use self::pump::{Pump, Step};
use super::bodies::{Received, RequestSource, ResponseSource};
use super::chain::{Bindings, Bound};
use super::properties::SetProperties;
use super::routes::{Route, Routes};
use super::traffic::Traffic;
use crate::server::ConnectionInfo;
use crate::upstream::Cluster;

/// Facts about an exchange that do not change.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) connection: Rc<ConnectionInfo>,
    pub(crate) version: Version,
    /// The client asked for a head only.
    pub(crate) is_head: bool,
    pub(crate) request_id: Option<HeaderValue>,
}

/// An exchange, shared by the tasks that move its parts and by the VMs whose plugins act on it.
pub(crate) struct Exchange {
    this: Weak<Self>,
    pub(crate) facts: Facts,
    pub(crate) traffic: Traffic,
    machine: RefCell<Stream>,
    filters: SmallVec<[BoundStream; 4]>,
    outbox: RefCell<Outbox>,
    /// The request body as it comes from downstream.
    request_source: RefCell<Option<RequestSource>>,
    response_source: RefCell<Option<ResponseSource>>,
    wakers: Wakers,
    /// The effects are being carried out further up the stack.
    running: Cell<bool>,
    /// Since the effects were last carried out, something has happened that can let a held body flow again.
    room_made: Cell<bool>,
    finished: Cell<bool>,
    properties: RefCell<SetProperties>,
    routes: Rc<Routes>,
    /// Chosen when it was first needed, and again after a plugin asked for it.
    route: RefCell<Option<Rc<Route>>>,
    /// The request has gone where the route says: it is not chosen again.
    routed: Cell<bool>,
}

struct BoundStream {
    bound: Bound,
    /// The stream context in the filter's VM; 0 until it is first called.
    context: Cell<u64>,
}

impl Exchange {
    /// Begins an exchange.
    pub(crate) fn new(
        bindings: Bindings,
        routes: Rc<Routes>,
        facts: Facts,
        received: Received,
        request_body: Option<RequestSource>,
    ) -> Rc<Self> {
        let mut filters = SmallVec::new();
        let mut machine_filters = SmallVec::<[_; 4]>::new();
        for (bound, machine_filter) in bindings.filters {
            filters.push(BoundStream {
                bound,
                context: Cell::new(0),
            });
            machine_filters.push(machine_filter);
        }
        Rc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            facts,
            traffic: Traffic::new(received),
            machine: RefCell::new(Stream::new(machine_filters, bindings.limits)),
            filters,
            outbox: RefCell::default(),
            request_source: RefCell::new(request_body),
            response_source: RefCell::new(None),
            wakers: Wakers::default(),
            running: Cell::new(false),
            room_made: Cell::new(false),
            finished: Cell::new(false),
            properties: RefCell::default(),
            routes,
            route: RefCell::new(None),
            routed: Cell::new(false),
        })
    }

    /// Tells the machine something and carries out what follows.
    pub(crate) fn tell(&self, event: impl FnOnce(&mut Stream)) {
        event(&mut self.machine.borrow_mut());
        self.run();
    }

    /// Asks the machine something.
    pub(crate) fn ask<R>(&self, question: impl FnOnce(&Stream) -> R) -> R {
        question(&self.machine.borrow())
    }

    /// Carries out the machine's effects until there are none.
    fn run(&self) {
        if self.running.replace(true) {
            return;
        }
        loop {
            let effect = self.machine.borrow_mut().poll_effect();
            let Some(effect) = effect else { break };
            self.carry_out(effect);
        }
        self.running.set(false);
        // Room can be made without any other effect: whoever moves that message's bytes must hear of it.
        if self.room_made.take() {
            self.wake_all();
        }
    }

    fn carry_out(&self, effect: Effect) {
        if let Effect::Callback(filter, callback) = effect {
            return self.call(filter, callback);
        }
        let mut outbox = self.outbox.borrow_mut();
        let waker = match effect {
            // Dealt with above, before anything was borrowed.
            Effect::Callback(..) => return,
            Effect::RequestHead {
                head,
                end_of_stream,
            } => {
                outbox.request.head = Some((head, end_of_stream));
                outbox.request.ended |= end_of_stream;
                &self.wakers.handler
            }
            Effect::RequestData(data, end_of_stream) => {
                outbox.request.push_data(data, end_of_stream);
                &self.wakers.request_body
            }
            Effect::RequestTrailers(trailers) => {
                outbox.request.push_trailers(trailers);
                &self.wakers.request_body
            }
            Effect::ResponseHead {
                head,
                end_of_stream,
            } => {
                outbox.response.head = Some((head, end_of_stream));
                outbox.response.ended |= end_of_stream;
                &self.wakers.handler
            }
            Effect::ResponseData(data, end_of_stream) => {
                outbox.response.push_data(data, end_of_stream);
                &self.wakers.response_body
            }
            Effect::ResponseTrailers(trailers) => {
                outbox.response.push_trailers(trailers);
                &self.wakers.response_body
            }
            Effect::AbandonUpstream => {
                outbox.upstream_abandoned = true;
                drop(outbox);
                self.abandon_upstream();
                return;
            }
            Effect::Reset(reason) => {
                self.log_reset(&reason);
                outbox.reset = Some(reason);
                drop(outbox);
                self.abandon_upstream();
                wake(&self.wakers.response_body);
                &self.wakers.handler
            }
        };
        wake(waker);
    }

    /// The response goes on without the upstream.
    fn abandon_upstream(&self) {
        let source = self.response_source.borrow_mut().take();
        drop(source);
        wake(&self.wakers.request_body);
        wake(&self.wakers.handler);
    }

    fn wake_all(&self) {
        wake(&self.wakers.request_body);
        wake(&self.wakers.response_body);
        wake(&self.wakers.handler);
    }

    /// The exchange is over, well or badly: plugins hear of it and forget it.
    pub(crate) fn finish(&self) {
        if self.finished.replace(true) {
            return;
        }
        self.tell(Stream::end);
        self.log_deviations();
        for stream in &self.filters {
            let context = stream.context.get();
            if context != 0
                && let Some(shared) = &stream.bound.vm
                && !shared.failed.get()
            {
                shared.vm.borrow_mut().remove_stream(context);
            }
        }
        // What is left of either message goes now, and with it the connections it holds.
        let request = self.request_source.borrow_mut().take();
        let response = self.response_source.borrow_mut().take();
        drop((request, response));
        // Who sends the request to the upstream may wait for more of it, and hold this exchange meanwhile.
        let mut outbox = self.outbox.borrow_mut();
        if !outbox.request.ended {
            outbox.upstream_abandoned = true;
            drop(outbox);
            wake(&self.wakers.request_body);
        }
    }

    pub(crate) fn set_properties(&self) -> Ref<'_, SetProperties> {
        self.properties.borrow()
    }

    /// The route of the request as it is now, if any matches; the one that it took once it has gone.
    ///
    /// Not to be called from within [`ask`](Self::ask).
    pub(crate) fn route(&self) -> Option<Rc<Route>> {
        if let Some(route) = &*self.route.borrow() {
            return Some(Rc::clone(route));
        }
        let machine = self.machine.borrow();
        let head = machine.peek_request_head()?;
        let route = self.routes.choose(&head.headers, head.path.as_ref())?;
        *self.route.borrow_mut() = Some(Rc::clone(route));
        Some(Rc::clone(route))
    }

    /// The exchange is over: only its end is still told.
    pub(crate) fn is_over(&self) -> bool {
        self.finished.get()
    }

    /// The upstream's response has come to its end, or none follows its head.
    pub(crate) fn upstream_ended(&self, source: &ResponseSource) {
        // Nobody else can ask for it then.
        if self.ask(Stream::interest).contains(Interest::STREAM_END)
            && let Some(latency) = source.since_sent()
        {
            self.traffic.response_ended(latency);
        }
    }

    /// The route that the request takes now with this head.
    pub(crate) fn take_route(&self, head: &RequestHead) -> Option<Rc<Route>> {
        self.routed.set(true);
        let mut route = self.route.borrow_mut();
        if route.is_none() {
            *route = self
                .routes
                .choose(&head.headers, head.path.as_ref())
                .cloned();
        }
        route.clone()
    }

    /// Has the route chosen again when it is next needed, unless the request has gone.
    fn forget_route(&self) {
        if !self.routed.get() {
            self.route.borrow_mut().take();
        }
    }

    /// The cluster that the request goes to, once it has gone; nothing for the built-in upstream.
    pub(crate) fn cluster(&self) -> Option<Arc<Cluster>> {
        if !self.routed.get() {
            return None;
        }
        self.route.borrow().as_ref()?.cluster().cloned()
    }

    fn request_id_text(&self) -> &str {
        self.facts
            .request_id
            .as_ref()
            .and_then(|id| id.to_str().ok())
            .unwrap_or("-")
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

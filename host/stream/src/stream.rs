//! One HTTP exchange through a filter chain.

use std::mem;

use bytes::Bytes;
use http::{HeaderMap, Method};
use smallvec::SmallVec;

use crate::deviation::Deviation;
use crate::effect::{
    Action, Callback, DataAction, Direction, Effect, HeaderAction, OnFailure, TrailersAction,
};
use crate::filter::{Filter, FilterIndex, FilterState};
use crate::head::{RequestHead, ResponseHead};
use crate::interest::Interest;
use crate::limits::Limits;
use crate::local_response::LocalResponse;
use crate::path::{Path, Shown, Step};
use crate::reset::ResetReason;

mod commands;
mod takeover;

use takeover::Takeover;

/// The state machine of one HTTP exchange through a filter chain.
///
/// See the [crate documentation](crate) for the order of calls.
#[derive(Debug)]
pub struct Stream {
    filters: SmallVec<[FilterState; 4]>,
    limits: Limits,
    request: Path<RequestHead>,
    response: Path<ResponseHead>,
    phase: Phase,
    /// The callback that is running.
    running: Option<Running>,
    /// What is to be done instead once the running callback has returned.
    takeover: Option<Box<Takeover>>,
    /// [`Effect::AbandonUpstream`] is due.
    abandon: bool,
    /// The upstream has been abandoned: what it sends is not the response any more.
    abandoned: bool,
    /// A command of the running callback waits for its return.
    resumes: bool,
    is_grpc: bool,
    is_head: bool,
    route_cleared: bool,
    details: Option<Box<str>>,
}

/// How far the exchange is.
#[derive(Debug)]
enum Phase {
    Open,
    /// Reset; the reason until it has been told.
    Reset(Option<Box<ResetReason>>),
    /// Over; the next filter to tell.
    Over(usize),
}

/// The callback that is running.
#[derive(Debug, Clone, Copy)]
struct Running {
    filter: FilterIndex,
    callback: Callback,
}

impl Stream {
    /// Creates the machine for one exchange. `filters`: in the configured order, the order of the request path.
    pub fn new(filters: impl IntoIterator<Item = Filter>, limits: Limits) -> Self {
        let filters: SmallVec<[FilterState; 4]> =
            filters.into_iter().map(FilterState::new).collect();
        Self {
            request: Path::new(filters.len()),
            response: Path::new(filters.len()),
            filters,
            limits,
            phase: Phase::Open,
            running: None,
            takeover: None,
            abandon: false,
            abandoned: false,
            resumes: false,
            is_grpc: false,
            is_head: false,
            route_cleared: false,
            details: None,
        }
    }

    /// Takes in the request's head. A second one is ignored.
    pub fn handle_request_head(&mut self, head: RequestHead, end_of_stream: bool) {
        if !self.is_open() || self.request.has_begun() {
            return;
        }
        self.is_grpc = head.is_grpc();
        self.is_head = head.method == Some(Method::HEAD);
        if self.is_head || head.method == Some(Method::CONNECT) {
            self.response.set_bodiless();
        }
        self.request.push_head(head, end_of_stream);
    }

    /// Takes in a piece of the request body. Before the head or after the end it is ignored.
    pub fn handle_request_data(&mut self, data: Bytes, end_of_stream: bool) {
        if self.is_open() {
            self.request.push_data(data, end_of_stream);
        }
    }

    /// Takes in the request's trailers, which end it. Before the head or after the end they are ignored.
    pub fn handle_request_trailers(&mut self, trailers: HeaderMap) {
        if self.is_open() {
            self.request.push_trailers(trailers);
        }
    }

    /// Takes in the head of the upstream's response, not an interim (1xx) one. A second one, or one after
    /// [`Effect::AbandonUpstream`], is ignored.
    pub fn handle_response_head(&mut self, head: ResponseHead, end_of_stream: bool) {
        if self.is_open() && !self.abandoned {
            self.response.push_head(head, end_of_stream);
        }
    }

    /// Takes in a piece of the upstream's response body. Ignored where it cannot be, as the head is.
    pub fn handle_response_data(&mut self, data: Bytes, end_of_stream: bool) {
        if self.is_open() && !self.abandoned {
            self.response.push_data(data, end_of_stream);
        }
    }

    /// Takes in the trailers of the upstream's response, which end it. Ignored where they cannot be, as the head is.
    pub fn handle_response_trailers(&mut self, trailers: HeaderMap) {
        if self.is_open() && !self.abandoned {
            self.response.push_trailers(trailers);
        }
    }

    /// Takes in what the filter answered to the callback in progress. An answer of the wrong kind, or of another
    /// filter, is a mistake of the driver; without debug assertions it counts as "continue", or is ignored.
    pub fn handle_action(&mut self, filter: FilterIndex, action: Action) {
        debug_assert!(
            self.running.is_some_and(|running| running.filter == filter),
            "no callback of filter {filter} is running"
        );
        let Some(running) = self.running.take_if(|running| running.filter == filter) else {
            return;
        };
        if self.is_open() && self.takeover.is_none() {
            self.act(running, action);
        }
        self.after_callback();
    }

    /// Takes in that a filter's plugin has failed: its VM is gone, in a callback of this stream or at any other time.
    ///
    /// The filter gets no callback any more, not even [`Callback::StreamEnd`]. With [`OnFailure::Open`] what it held
    /// goes on. With [`OnFailure::Closed`] the stream is answered with 503 (ABI reference, 5.4), unless the filter had
    /// nothing more to do with it: it holds nothing and no callback of a message is ahead of it.
    pub fn handle_filter_failed(&mut self, filter: FilterIndex, policy: OnFailure) {
        let running = self.running.take_if(|running| running.filter == filter);
        let Some(state) = self.filters.get_mut(filter.0) else {
            return;
        };
        let interest = state.interest;
        state.switch_off();
        if self.is_open() && self.takeover.is_none() {
            match policy {
                OnFailure::Open => self.skip(filter, running),
                OnFailure::Closed => {
                    let in_callback =
                        running.is_some_and(|running| running.callback != Callback::StreamEnd);
                    if in_callback || self.is_involved(filter, interest) {
                        self.take_over(Takeover::Failed(filter));
                    }
                }
            }
        }
        if running.is_some() {
            self.after_callback();
        }
    }

    /// Answers with a response of the host itself: 502, 503, 504 and the like. The rules are those of a filter's local
    /// response (ABI reference, 6.4).
    pub fn handle_local_response(&mut self, response: LocalResponse) {
        self.take_over(Takeover::Respond(None, response));
    }

    /// Takes in that the upstream broke off.
    ///
    /// After the response's head has gone, that is [`Effect::Reset`]. Before, the stream is answered with 503; a driver
    /// that knows better what happened calls [`handle_local_response`](Self::handle_local_response) instead. Once the
    /// whole response has been handed in, nothing happens.
    pub fn handle_upstream_reset(&mut self) {
        if !self.abandoned && !self.response.has_ended() {
            self.take_over(Takeover::UpstreamReset);
        }
    }

    /// Takes in that downstream has gone. The same as [`end`](Self::end).
    pub fn handle_downstream_closed(&mut self) {
        self.end();
    }

    /// Ends the exchange: the response has been sent, or is given up. Only [`Callback::StreamEnd`] comes from now on,
    /// for every filter with interest in it, in the configured order. Calling it again does nothing.
    pub fn end(&mut self) {
        if matches!(self.phase, Phase::Over(_)) {
            return;
        }
        self.phase = Phase::Over(0);
        self.request.close();
        self.response.close();
        self.takeover = None;
        self.abandon = false;
    }

    /// Returns what is to be done next; none when the machine waits for the world. After [`Effect::Callback`] the answer
    /// must come first.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        debug_assert!(
            self.running.is_none(),
            "the running callback must be answered before the next effect"
        );
        if self.running.is_some() {
            return None;
        }
        loop {
            match &mut self.phase {
                Phase::Open => {}
                Phase::Reset(reason) => return reason.take().map(|reason| Effect::Reset(*reason)),
                Phase::Over(next) => {
                    let filter = next_with(&self.filters, next, Interest::STREAM_END)?;
                    return Some(self.enter(filter, Callback::StreamEnd));
                }
            }
            if mem::take(&mut self.abandon) {
                return Some(Effect::AbandonUpstream);
            }
            if let Some(step) = self
                .request
                .next(&self.filters, self.limits.request_body_bytes)
            {
                if let Some(effect) = self.request_effect(step) {
                    return Some(effect);
                }
            } else if let Some(step) = self
                .response
                .next(&self.filters, self.limits.response_body_bytes)
            {
                if let Some(effect) = self.response_effect(step) {
                    return Some(effect);
                }
            } else {
                return None;
            }
        }
    }

    /// Returns whether it is worth handing in more of this message's body now: false while a filter holds as much as
    /// the limit, with back-pressure. What is handed in nevertheless is kept.
    #[must_use]
    pub fn wants_data(&self, direction: Direction) -> bool {
        match direction {
            Direction::Request => self.request.wants_data(self.limits.request_body_bytes),
            Direction::Response => self.response.wants_data(self.limits.response_body_bytes),
        }
    }

    /// Returns whether nothing will look at or hold any more of this message's body: its head has been sent, no filter
    /// holds any of it or is interested in more.
    ///
    /// From then on the driver may move body bytes past the machine. It stays true until the exchange ends otherwise:
    /// effects are still to be polled after hostcalls. Trailers are better handed in as always, for
    /// [`Callback::StreamEnd`] to read them.
    #[must_use]
    pub fn is_transparent(&self, direction: Direction) -> bool {
        self.is_open()
            && self.running.is_none()
            && self.takeover.is_none()
            && match direction {
                Direction::Request => self.request.is_transparent(&self.filters),
                Direction::Response => self.response.is_transparent(&self.filters),
            }
    }

    /// Returns the callbacks that some filter still wants. If there are none, the driver can leave the machine out of
    /// the exchange.
    #[must_use]
    pub fn interest(&self) -> Interest {
        self.filters
            .iter()
            .fold(Interest::NONE, |all, filter| all.union(filter.interest))
    }

    /// Returns the details of the local response that the exchange was answered with, for access logs. None: it was the
    /// upstream's.
    #[must_use]
    pub fn response_details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// Returns a deviation from Envoy that a filter has relied on since last asked.
    pub fn take_deviation(&mut self) -> Option<(FilterIndex, Deviation)> {
        self.filters
            .iter_mut()
            .enumerate()
            .find_map(|(index, filter)| {
                Some((FilterIndex(index), filter.deviations.get_mut().take()?))
            })
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    fn enter(&mut self, filter: FilterIndex, callback: Callback) -> Effect {
        self.running = Some(Running { filter, callback });
        Effect::Callback(filter, callback)
    }

    fn act(&mut self, Running { filter, callback }: Running, action: Action) {
        let on_pause = self
            .filters
            .get(filter.0)
            .map(|filter| filter.on_headers_pause)
            .unwrap_or_default();
        match callback {
            Callback::RequestHeaders { .. } => {
                self.request
                    .act_on_head(filter, headers_action(action), on_pause)
            }
            Callback::RequestBody { .. } => self.request.act_on_body(filter, data_action(action)),
            Callback::RequestTrailers { .. } => self
                .request
                .act_on_trailers(filter, trailers_action(action)),
            Callback::ResponseHeaders { .. } => {
                self.response
                    .act_on_head(filter, headers_action(action), on_pause)
            }
            Callback::ResponseBody { .. } => self.response.act_on_body(filter, data_action(action)),
            Callback::ResponseTrailers { .. } => self
                .response
                .act_on_trailers(filter, trailers_action(action)),
            Callback::StreamEnd => {}
        }
        self.note_deviations(filter);
    }

    /// Does what hostcalls have asked for while a callback was running.
    fn after_callback(&mut self) {
        if let Some(takeover) = self.takeover.take() {
            self.run(*takeover);
        } else if mem::take(&mut self.resumes) {
            self.request.do_resumes();
            self.response.do_resumes();
        }
    }

    /// Has a failed filter's message go on without it.
    fn skip(&mut self, filter: FilterIndex, running: Option<Running>) {
        if let Some(running) = running {
            self.act(running, continue_for(running.callback));
        }
        self.request.resume(filter);
        self.response.resume(filter);
    }

    /// Returns whether a filter holds something, or a callback of a message may still come for it.
    fn is_involved(&self, filter: FilterIndex, interest: Interest) -> bool {
        self.request.is_held_by(filter)
            || self.response.is_held_by(filter)
            || self.request.may_enter(filter, interest)
            || self.response.may_enter(filter, interest)
    }

    fn request_effect(&mut self, step: Step<RequestHead>) -> Option<Effect> {
        Some(match step {
            Step::Callback(filter, shown) => self.enter(filter, request_callback(shown)),
            Step::Head {
                head,
                end_of_stream,
            } => Effect::RequestHead {
                head,
                end_of_stream,
            },
            Step::Data(bytes, end) => Effect::RequestData(bytes, end),
            Step::Trailers(trailers) => Effect::RequestTrailers(trailers),
            Step::Missing(part) => {
                self.run(Takeover::MissingFromRequest(part));
                return None;
            }
            Step::TooLarge(filter) => {
                self.run(Takeover::TooLarge(filter, Direction::Request));
                return None;
            }
            Step::WrongLength {
                filter,
                declared,
                actual,
            } => {
                self.reset_with(ResetReason::ContentLength {
                    filter,
                    direction: Direction::Request,
                    declared,
                    actual,
                });
                return None;
            }
        })
    }

    fn response_effect(&mut self, step: Step<ResponseHead>) -> Option<Effect> {
        Some(match step {
            Step::Callback(filter, shown) => self.enter(filter, response_callback(shown)),
            Step::Head {
                head,
                end_of_stream,
            } => Effect::ResponseHead {
                head,
                end_of_stream,
            },
            Step::Data(bytes, end) => Effect::ResponseData(bytes, end),
            Step::Trailers(trailers) => Effect::ResponseTrailers(trailers),
            Step::Missing(part) => {
                self.run(Takeover::MissingFromResponse(part));
                return None;
            }
            Step::TooLarge(filter) => {
                self.run(Takeover::TooLarge(filter, Direction::Response));
                return None;
            }
            Step::WrongLength {
                filter,
                declared,
                actual,
            } => {
                self.reset_with(ResetReason::ContentLength {
                    filter,
                    direction: Direction::Response,
                    declared,
                    actual,
                });
                return None;
            }
        })
    }
}

/// Returns the next filter, from `next` on, with interest in a callback.
fn next_with(filters: &[FilterState], next: &mut usize, callback: Interest) -> Option<FilterIndex> {
    let ahead = filters
        .iter()
        .skip(*next)
        .position(|filter| filter.interest.contains(callback));
    let found = ahead.map(|ahead| FilterIndex(*next + ahead));
    *next = found.map_or(filters.len(), |filter| filter.0 + 1);
    found
}

fn request_callback(shown: Shown) -> Callback {
    match shown {
        Shown::Headers {
            count,
            end_of_stream,
        } => Callback::RequestHeaders {
            count: as_u32(count),
            end_of_stream,
        },
        Shown::Body {
            size,
            end_of_stream,
        } => Callback::RequestBody {
            size: as_u32(size),
            end_of_stream,
        },
        Shown::Trailers { count } => Callback::RequestTrailers {
            count: as_u32(count),
        },
    }
}

fn response_callback(shown: Shown) -> Callback {
    match shown {
        Shown::Headers {
            count,
            end_of_stream,
        } => Callback::ResponseHeaders {
            count: as_u32(count),
            end_of_stream,
        },
        Shown::Body {
            size,
            end_of_stream,
        } => Callback::ResponseBody {
            size: as_u32(size),
            end_of_stream,
        },
        Shown::Trailers { count } => Callback::ResponseTrailers {
            count: as_u32(count),
        },
    }
}

/// Plugins count in 32 bits.
fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn continue_for(callback: Callback) -> Action {
    match callback {
        Callback::RequestHeaders { .. } | Callback::ResponseHeaders { .. } => {
            Action::Headers(HeaderAction::Continue)
        }
        Callback::RequestBody { .. } | Callback::ResponseBody { .. } => {
            Action::Data(DataAction::Continue)
        }
        Callback::RequestTrailers { .. } | Callback::ResponseTrailers { .. } => {
            Action::Trailers(TrailersAction::Continue)
        }
        Callback::StreamEnd => Action::Done,
    }
}

fn headers_action(action: Action) -> HeaderAction {
    debug_assert!(
        matches!(action, Action::Headers(_)),
        "{action:?} does not answer a headers callback"
    );
    if let Action::Headers(action) = action {
        action
    } else {
        HeaderAction::Continue
    }
}

fn data_action(action: Action) -> DataAction {
    debug_assert!(
        matches!(action, Action::Data(_)),
        "{action:?} does not answer a body callback"
    );
    if let Action::Data(action) = action {
        action
    } else {
        DataAction::Continue
    }
}

fn trailers_action(action: Action) -> TrailersAction {
    debug_assert!(
        matches!(action, Action::Trailers(_)),
        "{action:?} does not answer a trailers callback"
    );
    if let Action::Trailers(action) = action {
        action
    } else {
        TrailersAction::Continue
    }
}

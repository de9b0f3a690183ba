//! One HTTP exchange through a filter chain.

use std::mem;

use bytes::Bytes;
use http::{HeaderMap, Method};
use smallvec::SmallVec;

use crate::effect::{Action, Callback, Effect, OnFailure};
use crate::filter::{Filter, FilterIndex, FilterState};
use crate::head::{RequestHead, ResponseHead};
use crate::interest::Interest;
use crate::limits::Limits;
use crate::local_response::LocalResponse;
use crate::path::{Path, Surroundings};
use crate::reset::ResetReason;

mod callbacks;
mod commands;
mod hints;
mod steps;
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
    /// What is to be done instead with the next effect.
    takeover: Option<Box<Takeover>>,
    /// Resumes wait for the next effect.
    resumes: bool,
    /// [`Effect::AbandonUpstream`] is due.
    abandon: bool,
    /// It is due, or was.
    abandoned: bool,
    is_grpc: bool,
    is_head: bool,
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
    #[must_use]
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
            resumes: false,
            abandon: false,
            abandoned: false,
            is_grpc: false,
            is_head: false,
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
        if self.is_open() {
            self.response.push_head(head, end_of_stream);
        }
    }

    /// Takes in a piece of the upstream's response body. Ignored where it cannot be, as the head is.
    pub fn handle_response_data(&mut self, data: Bytes, end_of_stream: bool) {
        if self.is_open() {
            self.response.push_data(data, end_of_stream);
        }
    }

    /// Takes in the trailers of the upstream's response, which end it. Ignored where they cannot be, as the head is.
    pub fn handle_response_trailers(&mut self, trailers: HeaderMap) {
        if self.is_open() {
            self.response.push_trailers(trailers);
        }
    }

    /// Takes in what the filter answered to the running callback. An answer of the wrong kind, or of another filter, is
    /// a mistake of the driver; without debug assertions it counts as "continue", or is ignored.
    pub fn handle_action(&mut self, filter: FilterIndex, action: Action) {
        let running = self.running.take_if(|running| running.filter == filter);
        debug_assert!(
            running.is_some(),
            "no callback of filter {filter} is running"
        );
        let Some(running) = running else { return };
        if self.is_open() && self.takeover.is_none() {
            self.act(running, action);
        }
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
                OnFailure::Closed if running.is_some() || self.is_involved(filter, interest) => {
                    self.take_over(Takeover::Failed(filter));
                }
                OnFailure::Closed => {}
            }
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
        if !self.response.has_ended() {
            self.take_over(Takeover::UpstreamReset);
        }
    }

    /// Ends the exchange: the response has been sent, or is given up, or downstream has gone. Only
    /// [`Callback::StreamEnd`] comes from now on, for every filter with interest in it, in the configured order. Calling
    /// it again does nothing.
    pub fn end(&mut self) {
        if matches!(self.phase, Phase::Over(_)) {
            return;
        }
        self.phase = Phase::Over(0);
        self.request.close();
        self.response.close();
    }

    /// Returns what is to be done next; none when the machine waits for the world. After [`Effect::Callback`] the answer
    /// must come first.
    #[inline]
    pub fn poll_effect(&mut self) -> Option<Effect> {
        debug_assert!(
            self.running.is_none(),
            "the running callback must be answered before the next effect"
        );
        if self.is_quiet() {
            return None;
        }
        self.do_commands();
        self.next_effect()
    }

    fn next_effect(&mut self) -> Option<Effect> {
        loop {
            match &mut self.phase {
                Phase::Open => {}
                Phase::Reset(reason) => return reason.take().map(|reason| Effect::Reset(*reason)),
                Phase::Over(_) => return self.next_stream_end(),
            }
            if mem::take(&mut self.abandon) {
                return Some(Effect::AbandonUpstream);
            }
            // A step that has no effect of its own has changed what is to be done.
            let around = around_request(&self.filters, self.limits);
            if let Some(step) = self.request.next(around) {
                match self.request_effect(step) {
                    Some(effect) => return Some(effect),
                    None => continue,
                }
            }
            let around = around_response(&self.filters, self.limits, &self.request);
            let step = self.response.next(around)?;
            if let Some(effect) = self.response_effect(step) {
                return Some(effect);
            }
        }
    }

    /// Returns whether no effect can be due.
    #[inline]
    fn is_quiet(&self) -> bool {
        let paths_are_quiet = self.request.is_quiet() && self.response.is_quiet();
        self.running.is_some()
            || (self.is_open() && !self.abandon && !self.has_commands() && paths_are_quiet)
    }

    /// Returns whether hostcalls have asked for something that was not done yet.
    #[inline]
    fn has_commands(&self) -> bool {
        self.resumes || self.takeover.is_some()
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }
}

/// Returns what the request path has to know. Not a method, so that the path can be borrowed beside it.
#[inline]
fn around_request(filters: &[FilterState], limits: Limits) -> Surroundings<'_> {
    Surroundings {
        filters,
        limit: limits.request_body_bytes,
        elsewhere: Interest::RESPONSE.union(Interest::STREAM_END),
    }
}

/// Returns what the response path has to know.
#[inline]
fn around_response<'a>(
    filters: &'a [FilterState],
    limits: Limits,
    request: &Path<RequestHead>,
) -> Surroundings<'a> {
    let upload = Interest::REQUEST_BODY.union(Interest::REQUEST_TRAILERS);
    let rest = if request.is_over() {
        Interest::NONE
    } else {
        upload
    };
    Surroundings {
        filters,
        limit: limits.response_body_bytes,
        elsewhere: rest.union(Interest::STREAM_END),
    }
}

//! What happens when a callback returns, or its plugin fails.

use std::mem;

use crate::effect::{Action, Callback, DataAction, HeaderAction, TrailersAction};
use crate::filter::FilterIndex;
use crate::interest::Interest;

use super::{Running, Stream, around_request, around_response};

impl Stream {
    /// Does what a filter answered to its callback.
    pub(super) fn act(&mut self, Running { filter, callback }: Running, action: Action) {
        let around_request = around_request(&self.filters, self.limits);
        let around_response = around_response(&self.filters, self.limits, &self.request);
        match callback {
            Callback::RequestHeaders { .. } => {
                self.request
                    .act_on_head(filter, headers_action(action), around_request)
            }
            Callback::RequestBody { .. } => {
                self.request
                    .act_on_body(filter, data_action(action), around_request)
            }
            Callback::RequestTrailers { .. } => {
                self.request
                    .act_on_trailers(filter, trailers_action(action), around_request);
            }
            Callback::ResponseHeaders { .. } => {
                self.response
                    .act_on_head(filter, headers_action(action), around_response);
            }
            Callback::ResponseBody { .. } => {
                self.response
                    .act_on_body(filter, data_action(action), around_response)
            }
            Callback::ResponseTrailers { .. } => {
                self.response
                    .act_on_trailers(filter, trailers_action(action), around_response);
            }
            Callback::StreamEnd => {}
        }
    }

    /// Does what hostcalls have asked for.
    pub(super) fn do_commands(&mut self) {
        let resumes = mem::take(&mut self.resumes);
        if let Some(takeover) = self.takeover.take() {
            if resumes {
                self.request.forget_resumes();
                self.response.forget_resumes();
            }
            self.run(*takeover);
        } else if resumes {
            self.request
                .do_resumes(around_request(&self.filters, self.limits));
            self.response
                .do_resumes(around_response(&self.filters, self.limits, &self.request));
        }
    }

    /// Has the messages go on without a failed filter.
    pub(super) fn skip(&mut self, filter: FilterIndex, running: Option<Running>) {
        if let Some(running) = running {
            self.act(running, continue_for(running.callback));
        }
        if self.request.is_held_by(filter) {
            self.request
                .resume(filter, around_request(&self.filters, self.limits));
        }
        if self.response.is_held_by(filter) {
            self.response.resume(
                filter,
                around_response(&self.filters, self.limits, &self.request),
            );
        }
    }

    /// Returns whether a filter holds something, or a callback of a message may still come for it.
    pub(super) fn is_involved(&self, filter: FilterIndex, interest: Interest) -> bool {
        self.request.is_held_by(filter)
            || self.response.is_held_by(filter)
            || self.request.may_enter(filter, interest)
            || self.response.may_enter(filter, interest)
    }
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

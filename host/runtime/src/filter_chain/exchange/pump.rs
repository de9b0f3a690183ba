//! Moving bytes: from a message's source through the machine to whoever takes them at the other end.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use proxy_wasi_stream::{Direction, RequestHead, ResetReason, ResponseHead, Stream};

use super::Exchange;
use super::outbox::wake;
use crate::BoxError;
use crate::filter_chain::bodies::{RequestSource, ResponseSource};

/// What the handler has to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// The request's head goes upstream.
    Forward(RequestHead, bool),
    /// The response's head goes downstream.
    Respond(ResponseHead, bool),
    /// The stream fails.
    Reset(ResetReason),
    /// The request broke off before its end.
    BrokenOff,
}

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyAborted {
    #[error("a local response has taken the upstream's place")]
    Abandoned,
    #[error("the request broke off before its end")]
    BrokenOff,
    #[error("{0}")]
    Reset(String),
}

impl Exchange {
    /// The next step, once there is one. Meanwhile the request's body is taken in, as far as the chain has room.
    pub(crate) fn poll_step(&self, cx: &mut Context<'_>, pump: Pump) -> Poll<Step> {
        loop {
            if let Some(step) = self.take_step() {
                return Poll::Ready(step);
            }
            self.wakers.handler.set(Some(cx.waker().clone()));
            let moved = match pump {
                Pump::Request => self.poll_pump_request(cx),
                Pump::Response => self.poll_pump_response(cx),
                Pump::Nothing => Poll::Pending,
            };
            if moved.is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn take_step(&self) -> Option<Step> {
        let mut outbox = self.outbox.borrow_mut();
        if let Some(reason) = outbox.reset.clone() {
            return Some(Step::Reset(reason));
        }
        if outbox.request_broke_off {
            return Some(Step::BrokenOff);
        }
        if let Some((head, end)) = outbox.response.head.take() {
            return Some(Step::Respond(head, end));
        }
        outbox
            .request
            .head
            .take()
            .filter(|_| !outbox.upstream_abandoned)
            .map(|(head, end)| Step::Forward(head, end))
    }

    /// A local response has taken the upstream's place.
    pub(crate) fn is_upstream_abandoned(&self) -> bool {
        self.outbox.borrow().upstream_abandoned
    }

    /// Gives the response's body to the chain to draw from.
    pub(crate) fn set_response_source(&self, source: ResponseSource) {
        *self.response_source.borrow_mut() = Some(source);
    }

    /// Takes the request's body back if the chain has no more to do with it.
    pub(crate) fn take_transparent_request(&self) -> Option<RequestSource> {
        if !self.ask(|machine| machine.is_transparent(Direction::Request))
            || self.outbox.borrow().request.holds_any()
        {
            return None;
        }
        self.request_source.borrow_mut().take()
    }

    /// Takes the response's body back if the chain has no more to do with it.
    pub(crate) fn take_transparent_response(&self) -> Option<ResponseSource> {
        if !self.ask(|machine| machine.is_transparent(Direction::Response))
            || self.outbox.borrow().response.holds_any()
        {
            return None;
        }
        self.response_source.borrow_mut().take()
    }

    /// The next frame of the request for the upstream.
    pub(crate) fn poll_request_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            {
                let mut outbox = self.outbox.borrow_mut();
                if let Some(aborted) = outbox.aborted() {
                    return Poll::Ready(Some(Err(aborted.into())));
                }
                if outbox.upstream_abandoned {
                    return Poll::Ready(Some(Err(BodyAborted::Abandoned.into())));
                }
                if let Some(frame) = outbox.request.frames.pop_front() {
                    return Poll::Ready(Some(Ok(frame)));
                }
                if outbox.request.ended {
                    return Poll::Ready(None);
                }
            }
            self.wakers.request_body.set(Some(cx.waker().clone()));
            if self.poll_pump_request(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// The next frame of the response for downstream.
    pub(crate) fn poll_response_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            {
                let mut outbox = self.outbox.borrow_mut();
                if let Some(frame) = outbox.response.frames.pop_front() {
                    return Poll::Ready(Some(Ok(frame)));
                }
                if outbox.response.ended {
                    return Poll::Ready(None);
                }
                if let Some(aborted) = outbox.aborted() {
                    return Poll::Ready(Some(Err(aborted.into())));
                }
            }
            self.wakers.response_body.set(Some(cx.waker().clone()));
            if self.poll_pump_response(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Why a response that goes past the chain goes no further, once there is a reason: a plugin can end the stream all the
    /// same.
    pub(crate) fn poll_aborted(&self, cx: &mut Context<'_>) -> Poll<BoxError> {
        if let Some(aborted) = self.outbox.borrow().aborted() {
            return Poll::Ready(aborted.into());
        }
        self.wakers.response_body.set(Some(cx.waker().clone()));
        Poll::Pending
    }

    /// Whether the request, as the upstream gets it, has ended.
    pub(crate) fn request_has_ended(&self) -> bool {
        self.outbox.borrow().request.is_drained()
    }

    /// Whether the response, as downstream gets it, has ended.
    pub(crate) fn response_has_ended(&self) -> bool {
        self.outbox.borrow().response.is_drained()
    }

    /// Moves one frame of the request into the machine, which ignores it if the request has been answered. Pending when
    /// there is none, or no room.
    fn poll_pump_request(&self, cx: &mut Context<'_>) -> Poll<()> {
        let wanted = self.ask(|machine| machine.wants_data(Direction::Request));
        // What follows a local response is read all the same: a client that leaves is not noticed otherwise.
        if !wanted && !self.is_upstream_abandoned() {
            return Poll::Pending;
        }
        let mut slot = self.request_source.borrow_mut();
        let Some(source) = slot.as_mut() else {
            return Poll::Pending;
        };
        let frame = std::task::ready!(Pin::new(&mut *source).poll_frame(cx));
        let ended = frame.is_none() || source.is_end_stream();
        if ended {
            *slot = None;
        }
        drop(slot);
        match arrived(frame, ended) {
            Arrived::Data(data, end) => self.tell(|machine| machine.handle_request_data(data, end)),
            Arrived::Trailers(trailers) => {
                self.tell(|machine| machine.handle_request_trailers(trailers))
            }
            Arrived::Nothing => {}
            Arrived::Failed(error) => {
                tracing::debug!(request_id = self.request_id_text(), %error, "downstream failed");
                self.request_source.borrow_mut().take();
                self.tell(Stream::end);
                // hyper waits for the handler even when it can read no more: without an end the connection would stay.
                self.outbox.borrow_mut().request_broke_off = true;
                self.abandon_upstream();
                wake(&self.wakers.response_body);
            }
        }
        Poll::Ready(())
    }

    /// Moves one frame of the response into the machine. Pending when there is none, or no room.
    fn poll_pump_response(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.ask(|machine| machine.wants_data(Direction::Response)) {
            return Poll::Pending;
        }
        let mut slot = self.response_source.borrow_mut();
        let Some(source) = slot.as_mut() else {
            return Poll::Pending;
        };
        let frame = std::task::ready!(Pin::new(&mut *source).poll_frame(cx));
        let ended = frame.is_none() || source.is_end_stream();
        let source = if ended { slot.take() } else { None };
        drop(slot);
        if let Some(source) = source {
            self.upstream_ended(&source);
        }
        match arrived(frame, ended) {
            Arrived::Data(data, end) => {
                self.tell(|machine| machine.handle_response_data(data, end))
            }
            Arrived::Trailers(trailers) => {
                self.tell(|machine| machine.handle_response_trailers(trailers))
            }
            Arrived::Nothing => {}
            Arrived::Failed(error) => {
                tracing::debug!(request_id = self.request_id_text(), %error, "upstream failed");
                let source = self.response_source.borrow_mut().take();
                drop(source);
                self.tell(Stream::handle_upstream_reset);
            }
        }
        Poll::Ready(())
    }
}

/// Which message the handler moves while it waits for a head.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pump {
    /// The request: its head has not gone yet.
    Request,
    /// The response: its head has not gone yet. The request's body moves on its own.
    Response,
    /// Neither: the upstream has the request and is silent.
    Nothing,
}

enum Arrived {
    Data(Bytes, bool),
    Trailers(http::HeaderMap),
    Nothing,
    Failed(BoxError),
}

fn arrived<E: Into<BoxError>>(frame: Option<Result<Frame<Bytes>, E>>, ended: bool) -> Arrived {
    match frame {
        None => Arrived::Data(Bytes::new(), true),
        Some(Err(error)) => Arrived::Failed(error.into()),
        Some(Ok(frame)) => match frame.into_data() {
            Ok(data) => Arrived::Data(data, ended),
            Err(frame) => frame
                .into_trailers()
                .map_or(Arrived::Nothing, Arrived::Trailers),
        },
    }
}

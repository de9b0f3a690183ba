//! What has left the chain and was not taken yet, and who waits for it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use proxy_wasi_stream::{RequestHead, ResetReason, ResponseHead};

use super::pump::BodyAborted;

/// What a message has become after the chain, not taken yet.
#[derive(Debug)]
pub(super) struct Outgoing<H> {
    pub(super) head: Option<(H, bool)>,
    pub(super) frames: VecDeque<Frame<Bytes>>,
    /// The last frame is there.
    pub(super) ended: bool,
}

impl<H> Default for Outgoing<H> {
    fn default() -> Self {
        Self {
            head: None,
            frames: VecDeque::new(),
            ended: false,
        }
    }
}

impl<H> Outgoing<H> {
    pub(super) fn push_data(&mut self, data: Bytes, end_of_stream: bool) {
        if !data.is_empty() {
            self.frames.push_back(Frame::data(data));
        }
        self.ended |= end_of_stream;
    }

    pub(super) fn push_trailers(&mut self, trailers: HeaderMap) {
        self.frames.push_back(Frame::trailers(trailers));
        self.ended = true;
    }

    pub(super) fn holds_any(&self) -> bool {
        !self.frames.is_empty() || self.ended
    }

    pub(super) fn is_drained(&self) -> bool {
        self.ended && self.frames.is_empty()
    }
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) request: Outgoing<RequestHead>,
    pub(super) response: Outgoing<ResponseHead>,
    /// A local response has taken over.
    pub(super) upstream_abandoned: bool,
    /// The request's body broke off before its end, or is malformed: the stream is over.
    pub(super) request_broke_off: bool,
    pub(super) reset: Option<ResetReason>,
}

impl Outbox {
    /// Why neither message goes on, if the exchange was cut off.
    pub(super) fn aborted(&self) -> Option<BodyAborted> {
        match &self.reset {
            Some(reason) => Some(BodyAborted::Reset(reason.to_string())),
            None => self.request_broke_off.then_some(BodyAborted::BrokenOff),
        }
    }
}

/// Who waits for what. Each is one task; the newest waker counts.
#[derive(Default)]
pub(super) struct Wakers {
    /// The handler, for a head.
    pub(super) handler: Cell<Option<Waker>>,
    pub(super) request_body: Cell<Option<Waker>>,
    pub(super) response_body: Cell<Option<Waker>>,
}

pub(super) fn wake(waker: &Cell<Option<Waker>>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

//! What has passed the last station, in order.

use std::mem;

use bytes::Bytes;
use http::HeaderMap;

use crate::content_length::declared;
use crate::head::Head;
use crate::interest::Interest;

use super::{Fault, Path, Step, Surroundings};

/// Bytes. A body of this size has usually come with its head: nothing more is read.
const SMALL_BODY: u64 = 4096;

impl<H: Head> Path<H> {
    /// Returns what is to be sent next of what has passed the last station.
    pub(super) fn send(&mut self, around: Surroundings<'_>) -> Option<Step> {
        if !self.head.sent {
            return self.send_head(around);
        }
        if let Some(bytes) = self.out.pop() {
            let end = self.out_end && self.out.is_empty();
            return Some(self.send_data(bytes, end));
        }
        if self.out_end && !self.finished {
            return Some(self.send_data(Bytes::new(), true));
        }
        self.send_trailers()
    }

    fn send_head(&mut self, around: Surroundings<'_>) -> Option<Step> {
        if self.head.at < self.stations.len() || self.head.value.is_none() {
            return None;
        }
        if let Some(missing) = self.missing() {
            return Some(Step::Fault(Fault::Missing(missing)));
        }
        self.note_sent_length(around);
        self.head.sent = true;
        self.finished = self.head_only;
        Some(Step::Head)
    }

    fn send_data(&mut self, bytes: Bytes, end: bool) -> Step {
        self.finished = end;
        match self.check_sent(bytes.len(), self.out_end) {
            None => Step::Data(bytes, end),
            Some(fault) => Step::Fault(fault),
        }
    }

    fn send_trailers(&mut self) -> Option<Step> {
        let here = self.trailers.at >= self.stations.len() && self.trailers.value.is_some();
        if !here || self.trailers.sent {
            return None;
        }
        self.trailers.sent = true;
        self.finished = true;
        Some(self.check_sent(0, true).map_or(Step::Trailers, Step::Fault))
    }

    /// Gives away the head that [`Step::Head`] says is to be sent, and whether it is the whole message. A copy is kept
    /// if a filter may still read it; most chains want nothing after the headers. When more than a small body follows, the
    /// copy has its own memory: the head's is usually a part of the buffer that the body is read into, which could not
    /// be used again.
    #[inline]
    pub(crate) fn take_head(&mut self, around: Surroundings<'_>) -> Option<(H, bool)> {
        let rest = if self.head_only {
            Interest::NONE
        } else {
            H::BODY.union(H::TRAILERS)
        };
        let head = self.head.value.take()?;
        if around.is_wanted(rest.union(around.elsewhere)) {
            let is_small = |length| length <= SMALL_BODY;
            self.head.value = if self.head_only || declared(head.headers()).is_some_and(is_small) {
                Some(head.clone())
            } else {
                Some(head.detached())
            };
        }
        Some((head, self.head_only))
    }

    /// Gives away the trailers that [`Step::Trailers`] says are to be sent. A copy is kept if a filter may still read
    /// it.
    pub(crate) fn take_trailers(&mut self, around: Surroundings<'_>) -> Option<HeaderMap> {
        let trailers = self.trailers.value.as_deref_mut()?;
        Some(if around.is_wanted(around.elsewhere) {
            trailers.clone()
        } else {
            mem::take(trailers)
        })
    }
}

//! What has passed the last station, in order.

use std::mem;

use bytes::Bytes;

use crate::head::Head;
use crate::interest::Interest;

use super::{Path, Step, Surroundings};

impl<H: Head> Path<H> {
    /// Sends the next part of what has passed the last station.
    pub(super) fn send(&mut self, around: Surroundings<'_>) -> Option<Step<H>> {
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
        self.send_trailers(around)
    }

    fn send_head(&mut self, around: Surroundings<'_>) -> Option<Step<H>> {
        if self.head.at < self.stations.len() || self.head.value.is_none() {
            return None;
        }
        if let Some(missing) = self.missing() {
            return Some(Step::Missing(missing));
        }
        self.note_sent_length(around);
        let rest = if self.head_only {
            Interest::NONE
        } else {
            H::BODY.union(H::TRAILERS)
        };
        // Most chains want nothing after the headers, and then the head is moved, not copied.
        let head = if around.is_wanted(rest.union(around.elsewhere)) {
            self.head.value.clone()
        } else {
            self.head.value.take()
        }?;
        self.head.sent = true;
        self.finished = self.head_only;
        let end_of_stream = self.head_only;
        Some(Step::Head {
            head,
            end_of_stream,
        })
    }

    fn send_data(&mut self, bytes: Bytes, end: bool) -> Step<H> {
        self.finished = end;
        self.check_sent(bytes.len(), self.out_end)
            .unwrap_or(Step::Data(bytes, end))
    }

    fn send_trailers(&mut self, around: Surroundings<'_>) -> Option<Step<H>> {
        if self.trailers.at < self.stations.len() || self.trailers.sent {
            return None;
        }
        let trailers = self.trailers.value.as_deref_mut()?;
        let trailers = if around.is_wanted(around.elsewhere) {
            trailers.clone()
        } else {
            mem::take(trailers)
        };
        self.trailers.sent = true;
        self.finished = true;
        Some(self.check_sent(0, true).unwrap_or(Step::Trailers(trailers)))
    }
}

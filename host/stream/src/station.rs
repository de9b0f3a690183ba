//! One filter's place on one path: what waits there, what is held there, and why.

use std::mem;

use crate::body::Body;
use crate::content_length::difference;

/// What a filter stops on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pause {
    /// Nothing.
    #[default]
    None,
    /// What it was shown; callbacks for what follows keep coming. Envoy's StopIteration, for head, body and trailers.
    Shown,
    /// Everything, without callbacks; a body over the limit is an error. Envoy's StopAllIterationAndBuffer.
    AllAndBuffer,
    /// Everything, without callbacks; a body at the limit waits. Envoy's StopAllIterationAndWatermark.
    AllAndWatermark,
}

/// Where the end of a body without trailers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// It has not come here.
    #[default]
    Ahead,
    /// It waits to be shown.
    Waiting,
    /// The filter has been shown it, and holds it.
    Shown,
    /// It has gone on.
    Passed,
}

/// One filter's place on one path.
///
/// Its body bytes come in two parts: first `settled` bytes that the filter has been shown (or that it holds unseen),
/// then those that wait for its next callback.
#[derive(Debug, Default)]
pub(crate) struct Station {
    body: Body,
    settled: usize,
    /// Where the bytes that the filter can see begin, within the settled ones.
    view_from: usize,
    pub(crate) pause: Pause,
    /// The last body callback asked to be shown its bytes again: "pause and buffer".
    pub(crate) buffering: bool,
    /// The body callback is running.
    pub(crate) viewing: bool,
    /// A resume waits for the running callback to return.
    pub(crate) resume: bool,
    pub(crate) end: End,
    /// By how many bytes the filter has made the body longer.
    pub(crate) length_change: i64,
    /// By how many bytes the filter, or the machine for it, has made `content-length` greater.
    pub(crate) declared_change: i64,
}

impl Station {
    /// Takes in bytes, and the end of the body if `end`.
    #[inline]
    pub(crate) fn push(&mut self, body: Body, end: bool) {
        self.body.append(body);
        if end {
            self.end = End::Waiting;
        }
    }

    pub(crate) fn body_len(&self) -> usize {
        self.body.len()
    }

    /// Returns whether bytes, or their end, wait to be shown.
    #[inline]
    pub(crate) fn has_fresh(&self) -> bool {
        self.body.len() > self.settled || self.end == End::Waiting
    }

    /// Returns whether nothing waits or is held here.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.pause == Pause::None
            && self.body.is_empty()
            && self.end != End::Waiting
            && !self.viewing
    }

    /// Returns whether the filter holds everything, without callbacks.
    #[inline]
    pub(crate) fn holds_all(&self) -> bool {
        matches!(self.pause, Pause::AllAndBuffer | Pause::AllAndWatermark)
    }

    /// Returns whether the filter holds bytes that must not outgrow the limit.
    pub(crate) fn is_buffering(&self) -> bool {
        self.pause == Pause::AllAndBuffer || (self.pause == Pause::Shown && self.buffering)
    }

    /// Returns whether the filter holds bytes with back-pressure.
    pub(crate) fn is_throttling(&self) -> bool {
        self.pause == Pause::AllAndWatermark || (self.pause == Pause::Shown && !self.buffering)
    }

    /// Counts all waiting bytes as shown. Returns how many the filter can see in its callback, and whether they end the
    /// body.
    pub(crate) fn show(&mut self) -> (usize, bool) {
        // After "pause and buffer" the growing whole is shown, else what is new.
        self.view_from = if self.buffering { 0 } else { self.settled };
        self.settle();
        (self.settled - self.view_from, self.end == End::Shown)
    }

    /// Counts all waiting bytes as held.
    pub(crate) fn settle(&mut self) {
        self.settled = self.body.len();
        if self.end == End::Waiting {
            self.end = End::Shown;
        }
    }

    /// Drops what the filter can see: it has taken it over. Returns whether there was anything.
    pub(crate) fn drop_view(&mut self) -> bool {
        let waiting = self.body.split_off(self.settled);
        let dropped = self.body.split_off(self.view_from);
        self.body.append(waiting);
        self.settled = self.view_from;
        self.count_edit(dropped.len(), 0);
        !dropped.is_empty()
    }

    /// Takes all that the filter has been shown, and whether the end of the body goes with it.
    pub(crate) fn take_settled(&mut self) -> (Body, bool) {
        let body = if self.settled == self.body.len() {
            mem::take(&mut self.body)
        } else {
            self.body.split_to(self.settled)
        };
        self.settled = 0;
        self.view_from = 0;
        let end = self.end == End::Shown;
        if end {
            self.end = End::Passed;
        }
        (body, end)
    }

    /// Returns the number of bytes that the filter can see; none if it cannot see any in this phase.
    pub(crate) fn view_len(&self) -> Option<usize> {
        if self.viewing {
            Some(self.settled - self.view_from)
        } else if self.pause == Pause::Shown && self.buffering {
            Some(self.settled)
        } else {
            None
        }
    }

    /// Copies bytes out of what the filter can see.
    pub(crate) fn read(&self, start: usize, count: usize) -> Vec<u8> {
        let count = count.min(self.view_len().unwrap_or(0).saturating_sub(start));
        self.body
            .read(self.view_start().saturating_add(start), count)
    }

    /// Edits what the filter can see. The range must lie within it.
    pub(crate) fn splice(&mut self, start: usize, count: usize, data: &[u8]) {
        self.body.splice(self.view_start() + start, count, data);
        self.settled = self.settled - count + data.len();
        self.count_edit(count, data.len());
    }

    fn view_start(&self) -> usize {
        if self.viewing { self.view_from } else { 0 }
    }

    fn count_edit(&mut self, before: usize, after: usize) {
        let change = difference(before as u64, after as u64);
        self.length_change = self.length_change.saturating_add(change);
    }
}

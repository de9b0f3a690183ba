//! Keeping `content-length` true.
//!
//! Nothing is looked up unless a filter had a chance to make a difference: most messages pass without a glance.

use crate::content_length::{declare, declared, difference, grown};
use crate::filter::{FilterIndex, FilterState};
use crate::head::Head;
use crate::station::End;

use super::{Path, Step, wanted_later};

/// What is known of a message's declared and true length.
#[derive(Debug, Default)]
pub(super) struct Length {
    /// A filter could write to the head.
    written: bool,
    /// The filter at whose station the head is could write to it.
    written_here: bool,
    /// What the head declared when it came to that station; known once a filter could write to it.
    before: Option<u64>,
    /// The head came with an authority; known likewise.
    had_authority: bool,
    /// What the head declared when it was sent.
    sent: Option<u64>,
    /// Bytes sent.
    bytes: u64,
    /// The machine has corrected the field.
    pub(super) corrected: bool,
}

impl<H: Head> Path<H> {
    /// Remembers what the head was before a filter writes to it.
    pub(super) fn note_write(&mut self) {
        let Some(head) = &self.head else { return };
        if !self.length.written {
            self.length.before = declared(head.headers());
            self.length.had_authority = head.has_authority();
        }
        self.length.written = true;
        self.length.written_here = true;
    }

    /// Makes `content-length` true when the head leaves a station.
    pub(super) fn settle_length(&mut self, at: usize) {
        let (Some(head), Some(station)) = (&mut self.head, self.stations.get_mut(at)) else {
            return;
        };
        if !self.length.written_here && station.length_change == 0 {
            return;
        }
        let now = declared(head.headers());
        let before = if self.length.written {
            self.length.before
        } else {
            now
        };
        let trailers_shown =
            self.trailers.is_some() && self.trailers_at == at && self.trailers_shown;
        let total = if self.head_only {
            Some(0)
        } else if station.end == End::Shown || trailers_shown {
            // Nothing can have gone before the head.
            Some(station.body_len() as u64)
        } else {
            None
        };
        let known = match (total, now, before) {
            (Some(total), Some(_), _) => Some(total),
            // The filter changed the body and left the field alone. If it wrote another value, it knows what will come.
            (None, Some(now), Some(before)) if now == before => {
                Some(grown(now, station.length_change))
            }
            _ => now,
        };
        let exempt = self.bodiless || head.is_length_meaningless();
        if let (Some(length), false) = (known, exempt || known == now) {
            declare(head.headers_mut(), length);
            self.length.corrected = true;
        }
        let after = if exempt { now } else { known };
        station.declared_change = difference(before.unwrap_or(0), after.unwrap_or(0));
        self.length.before = after;
        self.length.written = true;
        self.length.written_here = false;
    }

    /// Returns the part of the start line that filters have removed.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let head = self.head.as_ref().filter(|_| self.length.written)?;
        head.missing(self.length.had_authority)
    }

    /// Remembers what the head that is about to be sent declares.
    pub(super) fn note_sent_length(&mut self, filters: &[FilterState]) {
        if self.bodiless
            || self.head_only
            || !(self.length.written || wanted_later(filters, H::BODY))
        {
            return;
        }
        if let Some(head) = self
            .head
            .as_ref()
            .filter(|head| !head.is_length_meaningless())
        {
            self.length.sent = declared(head.headers());
        }
    }

    /// Counts bytes that are about to be sent. Returns an error if they prove `content-length` wrong and a filter is the
    /// reason.
    pub(super) fn check_sent(&mut self, bytes: usize, end: bool) -> Option<Step<H>> {
        let declared = self.length.sent?;
        self.length.bytes += bytes as u64;
        let actual = self.length.bytes;
        if actual <= declared && !(end && actual < declared) {
            return None;
        }
        self.culprit().map(|filter| Step::WrongLength {
            filter,
            declared,
            actual,
        })
    }

    /// Returns the last filter whose edit of the body does not match its edit of `content-length`, if the head has been
    /// sent with one.
    pub(super) fn culprit(&self) -> Option<FilterIndex> {
        self.length.sent?;
        let wrong = self
            .stations
            .iter()
            .rposition(|station| station.length_change != station.declared_change)?;
        Some(self.filter_at(wrong))
    }
}

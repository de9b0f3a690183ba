//! Keeping `content-length` true.
//!
//! Nothing is looked up unless a filter had a chance to make a difference: most messages pass without a glance.

use http::header::CONTENT_LENGTH;

use crate::content_length::{declare, declared, difference};
use crate::deviation::Deviation;
use crate::filter::FilterIndex;
use crate::head::Head;
use crate::station::End;

use super::{Fault, Path, Surroundings};

/// What is known of a message's declared and true length.
#[derive(Debug, Default)]
pub(super) struct Length {
    /// A filter could write to the head.
    written: bool,
    /// The filter at whose station the head is could write to it.
    written_here: bool,
    /// A filter has changed the body.
    edited: bool,
    /// What the head declared when it came to the station; known once a filter could write to it.
    before: Option<u64>,
    /// The head came with an authority; known likewise.
    had_authority: bool,
    /// What the head declared when it was sent.
    sent: Option<u64>,
    /// Bytes sent.
    bytes: u64,
}

impl<H: Head> Path<H> {
    /// Remembers what the head was before a filter writes to it.
    pub(super) fn note_write(&mut self) {
        let Some(head) = &self.head.value else { return };
        if !self.length.written {
            self.length.before = declared(head.headers());
            self.length.had_authority = head.has_authority();
        }
        self.length.written = true;
        self.length.written_here = true;
    }

    /// Remembers that a filter has changed the body.
    pub(super) fn note_edit(&mut self) {
        self.length.edited = true;
    }

    /// Makes `content-length` true, as far as it can be known, when the head leaves a station.
    pub(super) fn settle_length(&mut self, at: usize, around: Surroundings<'_>) {
        if !(self.length.written_here || self.length.edited) {
            return;
        }
        let (total, unaccounted) = (self.total_at(at), self.unaccounted_at(at));
        let filter = self.filter_at(at);
        let Some(head) = &mut self.head.value else {
            return;
        };
        let headers = head.headers();
        let now = declared(headers);
        let before = if self.length.written {
            self.length.before
        } else {
            now
        };
        let is_asked =
            !self.bodiless && !head.is_length_meaningless() && headers.contains_key(CONTENT_LENGTH);
        // The filter left the field alone, so it stands for the body as it came.
        let is_known = is_asked && (total.is_some() || now == before);
        let after = if !is_asked {
            now
        } else if total.is_some() {
            total
        } else if is_known {
            now.map(|now| now.saturating_add_signed(unaccounted))
        } else {
            // The filter wrote it, so it knows what will come. But a body may follow yet, and after a length of 0 nobody
            // would look at it.
            now.filter(|length| *length > 0)
        };
        if after != now {
            if let Some(filter) = around.filters.get(filter.0) {
                filter.note(Deviation::ContentLengthKeptTrue);
            }
            declare(head.headers_mut(), after);
        } else if now.is_none() {
            // Whatever is written there is no length, and must not be taken for one.
            declare(head.headers_mut(), None);
        }
        if is_known {
            // All edits of the body until now are in it, whoever made them.
            for station in self.stations.iter_mut().take(at.saturating_add(1)) {
                station.declared_change = station.length_change;
            }
        } else if let Some(station) = self.stations.get_mut(at) {
            station.declared_change = difference(before.unwrap_or(0), after.unwrap_or(0));
        }
        self.length.before = after;
        self.length.written = true;
        self.length.written_here = false;
    }

    /// Returns how long the body is, if all of it is held at the station where the head is.
    fn total_at(&self, at: usize) -> Option<u64> {
        if self.head_only {
            return Some(0);
        }
        let station = self.stations.get(at)?;
        let all_here = station.end == End::Shown || self.trailers.is_held_at(at);
        all_here.then_some(station.body_len() as u64)
    }

    /// Returns by how much filters up to a station have made the body longer than they made `content-length` greater.
    fn unaccounted_at(&self, at: usize) -> i64 {
        self.stations
            .iter()
            .take(at.saturating_add(1))
            .fold(0, |sum, station| {
                sum.saturating_add(station.length_change)
                    .saturating_sub(station.declared_change)
            })
    }

    /// Returns the part of the start line that filters have removed.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let head = self.head.value.as_ref().filter(|_| self.length.written)?;
        head.missing(self.length.had_authority)
    }

    /// Remembers what the head that is about to be sent declares.
    pub(super) fn note_sent_length(&mut self, around: Surroundings<'_>) {
        if self.bodiless || self.head_only || !(self.length.written || around.is_wanted(H::BODY)) {
            return;
        }
        let head = self
            .head
            .value
            .as_ref()
            .filter(|head| !head.is_length_meaningless());
        self.length.sent = head.and_then(|head| declared(head.headers()));
    }

    /// Counts bytes that are about to be sent. Returns an error if they, with those that wait behind them, prove
    /// `content-length` wrong and a filter is the reason. `end`: nothing comes after those.
    pub(super) fn check_sent(&mut self, bytes: usize, end: bool) -> Option<Fault> {
        let declared = self.length.sent?;
        self.length.bytes += bytes as u64;
        let actual = self.length.bytes + self.out.len() as u64;
        if actual == declared || (actual < declared && !end) {
            return None;
        }
        let filter = self.culprit()?;
        Some(Fault::WrongLength {
            filter,
            declared,
            actual,
        })
    }

    /// Returns the last filter whose edits of the body do not match its edits of `content-length`, if the head has been
    /// sent with one.
    pub(super) fn culprit(&self) -> Option<FilterIndex> {
        self.length.sent?;
        let wrong =
            |station: &crate::station::Station| station.length_change != station.declared_change;
        self.stations
            .iter()
            .rposition(wrong)
            .map(|at| self.filter_at(at))
    }
}

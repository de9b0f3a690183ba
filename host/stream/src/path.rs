//! One message on its way through the filters: the request path, or the response path.
//!
//! Head, body and trailers wait at stations, one per filter, in the path's own order. Work is done where the message
//! has come furthest first, so that nothing overtakes anything, and only as far as the next effect: the caller asks
//! again. So it does not matter in which portions, or how far ahead, a message is handed in.

use std::mem;

use bytes::Bytes;
use http::HeaderMap;
use smallvec::SmallVec;

use crate::body::Body;
use crate::effect::{DataAction, Direction, HeaderAction, TrailersAction};
use crate::filter::{FilterIndex, FilterState, HeadersPause};
use crate::head::Head;
use crate::interest::Interest;
use crate::station::{End, Pause, Station};

mod access;
mod length;

/// What a path is to do next, as far as it can tell.
#[derive(Debug)]
pub(crate) enum Step<H> {
    /// Enter the filter.
    Callback(FilterIndex, Shown),
    /// Send the head.
    Head { head: H, end_of_stream: bool },
    /// Send bytes.
    Data(Bytes, bool),
    /// Send the trailers.
    Trailers(HeaderMap),
    /// The filter buffers more than it may.
    TooLarge(FilterIndex),
    /// The filter made `content-length` wrong.
    WrongLength {
        filter: FilterIndex,
        declared: u64,
        actual: u64,
    },
    /// The head has lost this part of its start line.
    Missing(&'static str),
}

/// What a callback shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    Headers { count: usize, end_of_stream: bool },
    Body { size: usize, end_of_stream: bool },
    Trailers { count: usize },
}

/// What came of looking for work at a station.
enum Work<H> {
    /// There was none.
    None,
    /// Something has moved on.
    Moved,
    /// The caller has to do something.
    Step(Step<H>),
}

/// One message on its way through the filters.
#[derive(Debug)]
pub(crate) struct Path<H> {
    /// One per filter, in the order of the path.
    stations: SmallVec<[Station; 2]>,
    /// The head; once sent, a copy if a filter may still read it.
    head: Option<H>,
    /// The station where the head is; past the last one, it is on its way out.
    head_at: usize,
    /// That station's filter has been shown the head, and holds it.
    head_shown: bool,
    head_sent: bool,
    /// The head came with the end of the message.
    head_only: bool,
    trailers: Option<Box<HeaderMap>>,
    trailers_at: usize,
    trailers_shown: bool,
    trailers_sent: bool,
    /// What is on its way out.
    out: Body,
    out_end: bool,
    /// A head has been handed in.
    begun: bool,
    /// The end has been handed in.
    ended: bool,
    /// The end has been sent.
    finished: bool,
    /// Nothing more comes out.
    closed: bool,
    /// No work is left until something happens.
    quiet: bool,
    /// The request's method makes `content-length` say nothing about the bytes that follow.
    bodiless: bool,
    length: length::Length,
}

impl<H: Head> Path<H> {
    pub(crate) fn new(filters: usize) -> Self {
        Self {
            stations: (0..filters).map(|_| Station::default()).collect(),
            head: None,
            head_at: 0,
            head_shown: false,
            head_sent: false,
            head_only: false,
            trailers: None,
            trailers_at: 0,
            trailers_shown: false,
            trailers_sent: false,
            out: Body::default(),
            out_end: false,
            begun: false,
            ended: false,
            finished: false,
            closed: false,
            quiet: true,
            bodiless: false,
            length: length::Length::default(),
        }
    }

    /// Returns whether a head has been handed in.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Returns whether the head has been sent.
    pub(crate) fn is_head_sent(&self) -> bool {
        self.head_sent
    }

    /// Returns whether the whole message has been handed in.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Returns whether the whole message has been sent.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Makes `content-length` say nothing about the bytes that follow.
    pub(crate) fn set_bodiless(&mut self) {
        self.bodiless = true;
    }

    /// Takes in the head.
    pub(crate) fn push_head(&mut self, head: H, end_of_stream: bool) {
        if self.begun || self.closed {
            return;
        }
        self.begun = true;
        self.quiet = false;
        self.head = Some(head);
        self.head_only = end_of_stream;
        self.ended = end_of_stream;
    }

    /// Takes in bytes of the body.
    pub(crate) fn push_data(&mut self, bytes: Bytes, end_of_stream: bool) {
        if !self.begun || self.ended || self.closed {
            return;
        }
        self.ended = end_of_stream;
        let mut body = Body::default();
        body.push(bytes);
        self.deliver(0, body, end_of_stream);
    }

    /// Takes in the trailers.
    pub(crate) fn push_trailers(&mut self, trailers: HeaderMap) {
        if !self.begun || self.ended || self.closed {
            return;
        }
        self.ended = true;
        self.quiet = false;
        self.trailers = Some(Box::new(trailers));
    }

    /// Has nothing more come out. Head and trailers stay, to be read.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.out = Body::default();
        for station in &mut self.stations {
            *station = Station::default();
        }
    }

    /// Sends another message instead, past all filters.
    pub(crate) fn replace(&mut self, head: H, body: Bytes) {
        for station in &mut self.stations {
            *station = Station::default();
        }
        self.head_only = body.is_empty();
        self.out_end = !body.is_empty();
        self.out = Body::default();
        self.out.push(body);
        self.head = Some(head);
        self.head_at = self.stations.len();
        self.head_shown = false;
        self.trailers = None;
        self.begun = true;
        self.ended = true;
        self.quiet = false;
        self.length = length::Length::default();
    }

    /// Returns what is to be done next. `limit`: bytes that a filter may buffer.
    #[inline]
    pub(crate) fn next(&mut self, filters: &[FilterState], limit: usize) -> Option<Step<H>> {
        if self.quiet || self.closed {
            return None;
        }
        self.find_step(filters, limit)
    }

    fn find_step(&mut self, filters: &[FilterState], limit: usize) -> Option<Step<H>> {
        'moved: loop {
            if let Some(step) = self.send(filters) {
                return Some(step);
            }
            for at in (0..self.stations.len()).rev() {
                match self.work_at(at, filters, limit) {
                    Work::None => {}
                    Work::Moved => continue 'moved,
                    Work::Step(step) => return Some(step),
                }
            }
            self.quiet = true;
            return None;
        }
    }

    /// Sends what has passed the last station.
    fn send(&mut self, filters: &[FilterState]) -> Option<Step<H>> {
        if !self.head_sent {
            if self.head_at < self.stations.len() {
                return None;
            }
            return self.send_head(filters);
        }
        if let Some(bytes) = self.out.pop() {
            let end = self.out_end && self.out.is_empty();
            return Some(self.send_data(bytes, end));
        }
        if self.out_end && !self.finished {
            return Some(self.send_data(Bytes::new(), true));
        }
        let trailers = self
            .trailers
            .as_deref_mut()
            .filter(|_| self.trailers_at == self.stations.len() && !self.trailers_sent)?;
        let trailers = if wanted_later(filters, Interest::STREAM_END.union(H::OTHER)) {
            trailers.clone()
        } else {
            mem::take(trailers)
        };
        self.trailers_sent = true;
        self.finished = true;
        Some(self.check_sent(0, true).unwrap_or(Step::Trailers(trailers)))
    }

    fn send_head(&mut self, filters: &[FilterState]) -> Option<Step<H>> {
        if let Some(missing) = self.missing() {
            return Some(Step::Missing(missing));
        }
        self.note_sent_length(filters);
        let rest = if self.head_only {
            Interest::NONE
        } else {
            H::BODY.union(H::TRAILERS)
        };
        let later = rest.union(H::OTHER).union(Interest::STREAM_END);
        // Most filters want nothing more than this, and then the head is moved, not copied.
        let head = if wanted_later(filters, later) {
            self.head.clone()
        } else {
            self.head.take()
        }?;
        self.head_sent = true;
        self.finished = self.head_only;
        Some(Step::Head {
            head,
            end_of_stream: self.head_only,
        })
    }

    fn send_data(&mut self, bytes: Bytes, end: bool) -> Step<H> {
        self.finished = end;
        self.check_sent(bytes.len(), end)
            .unwrap_or(Step::Data(bytes, end))
    }

    /// Looks for work at a station.
    fn work_at(&mut self, at: usize, filters: &[FilterState], limit: usize) -> Work<H> {
        let index = self.filter_at(at);
        let (Some(filter), Some(station)) = (filters.get(index.0), self.stations.get_mut(at))
        else {
            return Work::None;
        };
        if self.head_at < at || station.viewing {
            return Work::None;
        }
        if self.head_at == at && !self.head_shown {
            self.head_shown = true;
            if filter.interest.contains(H::HEADERS) {
                let count = self.head.as_ref().map_or(0, Head::count);
                return Work::Step(Step::Callback(
                    index,
                    Shown::Headers {
                        count,
                        end_of_stream: self.head_only,
                    },
                ));
            }
            return self.release(at);
        }
        if station.is_buffering() && station.body_len() > limit {
            return Work::Step(Step::TooLarge(index));
        }
        if matches!(station.pause, Pause::AllAndBuffer | Pause::AllAndWatermark) {
            return Work::None;
        }
        // A filter that holds something and has given up what might release it holds on until it resumes.
        let holds_on =
            |callback| station.pause == Pause::Shown && filter.given_up.contains(callback);
        let (hold_body, hold_trailers) = (holds_on(H::BODY), holds_on(H::TRAILERS));
        if station.has_fresh() {
            if filter.interest.contains(H::BODY) {
                station.viewing = true;
                let (size, end_of_stream) = station.show();
                return Work::Step(Step::Callback(
                    index,
                    Shown::Body {
                        size,
                        end_of_stream,
                    },
                ));
            }
            station.settle();
            if !hold_body {
                return self.release(at);
            }
        }
        if self.trailers_at == at
            && !self.trailers_shown
            && let Some(trailers) = &self.trailers
        {
            self.trailers_shown = true;
            if filter.interest.contains(H::TRAILERS) {
                return Work::Step(Step::Callback(
                    index,
                    Shown::Trailers {
                        count: trailers.len(),
                    },
                ));
            }
            if !hold_trailers {
                return self.release(at);
            }
        }
        Work::None
    }

    /// Lets go on what the filter has been shown: "continue".
    fn release(&mut self, at: usize) -> Work<H> {
        self.release_head(at);
        if let Some(station) = self.stations.get_mut(at) {
            station.pause = Pause::None;
            station.buffering = false;
            let (body, end) = station.take_settled();
            self.deliver(at + 1, body, end);
        }
        if self.trailers_at == at && self.trailers_shown {
            self.trailers_at += 1;
            self.trailers_shown = false;
        }
        self.quiet = false;
        Work::Moved
    }

    fn release_head(&mut self, at: usize) {
        if self.head_at == at && self.head_shown {
            self.settle_length(at);
            self.head_at += 1;
            self.head_shown = false;
        }
    }

    /// Hands bytes to a station, or out.
    fn deliver(&mut self, at: usize, body: Body, end: bool) {
        self.quiet = false;
        match self.stations.get_mut(at) {
            Some(station) => station.push(body, end),
            None => {
                self.out.append(body);
                self.out_end |= end;
            }
        }
    }

    /// Does what the filter answered to its headers callback.
    pub(crate) fn act_on_head(
        &mut self,
        filter: FilterIndex,
        action: HeaderAction,
        on_pause: HeadersPause,
    ) {
        let at = self.station_of(filter);
        let pause = match (action, on_pause) {
            (HeaderAction::Continue | HeaderAction::ContinueAndEndStream, _) => Pause::None,
            (HeaderAction::Pause, HeadersPause::StopIteration) => Pause::Shown,
            (HeaderAction::Pause, HeadersPause::StopAll)
            | (HeaderAction::PauseAllAndWatermark, _) => Pause::AllAndWatermark,
            (HeaderAction::PauseAllAndBuffer, _) => Pause::AllAndBuffer,
        };
        self.quiet = false;
        match self.stations.get_mut(at) {
            Some(station) if pause != Pause::None => station.pause = pause,
            _ => _ = self.release(at),
        }
    }

    /// Does what the filter answered to its body callback. Returns whether it now holds bytes.
    pub(crate) fn act_on_body(&mut self, filter: FilterIndex, action: DataAction) {
        let at = self.station_of(filter);
        let Some(station) = self.stations.get_mut(at) else {
            return;
        };
        self.quiet = false;
        station.viewing = false;
        if self.trailers_at == at && self.trailers_shown {
            // The callback asked for trailers to be made. If it wrote some, they are the end of the message.
            if self
                .trailers
                .as_deref()
                .is_some_and(|made| !made.is_empty())
            {
                station.end = End::Passed;
            } else {
                self.trailers = None;
                self.trailers_shown = false;
            }
        }
        match action {
            DataAction::Continue => {
                self.release(at);
                return;
            }
            DataAction::PauseAndBuffer => station.buffering = true,
            DataAction::PauseAndWatermark => station.buffering = false,
            DataAction::PauseNoBuffer => {
                station.drop_view();
                station.buffering = false;
            }
        }
        station.pause = Pause::Shown;
    }

    /// Does what the filter answered to its trailers callback.
    pub(crate) fn act_on_trailers(&mut self, filter: FilterIndex, action: TrailersAction) {
        let at = self.station_of(filter);
        match (action, self.stations.get_mut(at)) {
            (TrailersAction::Pause, Some(station)) => station.pause = Pause::Shown,
            _ => _ = self.release(at),
        }
    }

    /// Asks for a resume once the running callback has returned.
    pub(crate) fn resume_later(&mut self, filter: FilterIndex) {
        let at = self.station_of(filter);
        if let Some(station) = self.stations.get_mut(at) {
            station.resume = true;
        }
    }

    /// Does the resumes asked for.
    pub(crate) fn do_resumes(&mut self) {
        for at in 0..self.stations.len() {
            if self
                .stations
                .get_mut(at)
                .is_some_and(|station| mem::take(&mut station.resume))
            {
                self.resume(self.filter_at(at));
            }
        }
    }

    /// Lets go on what the filter holds. Returns whether it held anything.
    pub(crate) fn resume(&mut self, filter: FilterIndex) -> bool {
        let at = self.station_of(filter);
        let Some(station) = self.stations.get_mut(at) else {
            return false;
        };
        match station.pause {
            Pause::None => return false,
            Pause::Shown => _ = self.release(at),
            Pause::AllAndBuffer | Pause::AllAndWatermark => {
                // Body and trailers have not been shown yet: the filter's own callbacks come first.
                station.pause = Pause::None;
                self.release_head(at);
                self.quiet = false;
            }
        }
        true
    }

    /// Returns whether the filter holds anything.
    pub(crate) fn is_held_by(&self, filter: FilterIndex) -> bool {
        self.stations
            .get(self.station_of(filter))
            .is_some_and(|station| station.pause != Pause::None)
    }

    /// Returns whether the head has come to the filter, and the filter has been or would have been shown it.
    pub(crate) fn has_reached(&self, filter: FilterIndex) -> bool {
        let at = self.station_of(filter);
        self.begun && (self.head_at > at || (self.head_at == at && self.head_shown))
    }

    /// Returns whether a callback of this path may still come for a filter with this interest.
    pub(crate) fn may_enter(&self, filter: FilterIndex, interest: Interest) -> bool {
        let Some(station) = self.stations.get(self.station_of(filter)) else {
            return false;
        };
        let at = self.station_of(filter);
        if self.closed || self.head_at > self.stations.len() {
            return false;
        }
        if !self.has_reached(filter) {
            return interest.intersects(H::HEADERS.union(H::BODY).union(H::TRAILERS));
        }
        let body_ahead =
            !self.head_only && !self.finished && matches!(station.end, End::Ahead | End::Waiting);
        let passed = self.trailers.is_some()
            && (self.trailers_at > at || (self.trailers_at == at && self.trailers_shown));
        body_ahead && !passed && interest.intersects(H::BODY.union(H::TRAILERS))
    }

    /// Returns whether more of the body should be handed in now.
    pub(crate) fn wants_data(&self, limit: usize) -> bool {
        !self
            .stations
            .iter()
            .any(|station| station.is_throttling() && station.body_len() >= limit)
    }

    /// Returns whether nothing will look at or hold any more of this message's body.
    pub(crate) fn is_transparent(&self, filters: &[FilterState]) -> bool {
        self.head_sent
            && !self.closed
            && self.trailers.is_none()
            && self.out.is_empty()
            && self.stations.iter().all(Station::is_idle)
            && !wanted_later(filters, H::BODY.union(H::TRAILERS))
            && self.culprit().is_none()
    }

    fn filter_at(&self, at: usize) -> FilterIndex {
        match H::DIRECTION {
            Direction::Request => FilterIndex(at),
            Direction::Response => FilterIndex(self.stations.len().wrapping_sub(at + 1)),
        }
    }

    /// Returns the filter's station; one that does not exist for a filter that does not exist.
    fn station_of(&self, filter: FilterIndex) -> usize {
        match H::DIRECTION {
            Direction::Request => filter.0,
            Direction::Response => self
                .stations
                .len()
                .checked_sub(filter.0.saturating_add(1))
                .unwrap_or(usize::MAX),
        }
    }
}

/// Returns whether a filter is interested in one of these callbacks.
fn wanted_later(filters: &[FilterState], callbacks: Interest) -> bool {
    filters
        .iter()
        .any(|filter| filter.interest.intersects(callbacks))
}

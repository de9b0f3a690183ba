//! One message on its way through the filters: the request path, or the response path.
//!
//! Head, body and trailers wait at stations, one per filter, in the path's own order. Work is done where the message
//! has come furthest first, so that nothing overtakes anything, and only as far as the next step: the caller asks
//! again. So it does not matter in which portions, or how far ahead, a message is handed in.

use bytes::Bytes;
use http::HeaderMap;
use smallvec::SmallVec;

use crate::body::Body;
use crate::effect::Direction;
use crate::filter::{FilterIndex, FilterState, HeadersPause};
use crate::head::Head;
use crate::interest::Interest;
use crate::station::{End, Pause, Station};

mod access;
mod actions;
mod flow;
mod length;
mod part;
mod send;

use part::Part;

/// What a path is to do next, as far as it can tell.
#[derive(Debug)]
pub(crate) enum Step {
    /// Enter the filter.
    Callback(FilterIndex, Shown),
    /// Send the head: [`Path::take_head`]. It is not in here because it is large, and moved but once this way.
    Head,
    /// Send bytes; true: they end the message.
    Data(Bytes, bool),
    /// Send the trailers: [`Path::take_trailers`].
    Trailers,
    /// The message cannot go on.
    Fault(Fault),
}

/// Why a message cannot go on.
#[derive(Debug)]
pub(crate) enum Fault {
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

/// What a path has to know of the stream it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) filters: &'a [FilterState],
    /// Bytes that a filter may buffer.
    pub(crate) limit: usize,
    /// The callbacks of the other message, and of the end, that may still come.
    pub(crate) elsewhere: Interest,
}

impl Surroundings<'_> {
    /// Returns whether a filter is interested in one of these callbacks.
    fn is_wanted(&self, callbacks: Interest) -> bool {
        self.filters
            .iter()
            .any(|filter| filter.interest.intersects(callbacks))
    }
}

/// One message on its way through the filters.
#[derive(Debug)]
pub(crate) struct Path<H> {
    /// One per filter, in the order of the path.
    stations: SmallVec<[Station; 2]>,
    head: Part<H>,
    /// The head came with the end of the message.
    head_only: bool,
    trailers: Part<Box<HeaderMap>>,
    /// Body bytes on their way out.
    out: Body,
    /// The end of the body is on its way out, or has been sent.
    out_end: bool,
    /// The end has been handed in.
    ended: bool,
    /// The end has been sent.
    finished: bool,
    /// Nothing comes out any more.
    closed: bool,
    /// No work is left until something happens.
    quiet: bool,
    /// The request's method makes `content-length` say nothing about the bytes that follow.
    bodiless: bool,
    length: length::Length,
}

impl<H: Head> Path<H> {
    pub(crate) fn new(filters: usize) -> Self {
        let mut stations = SmallVec::new();
        stations.resize_with(filters, Station::default);
        Self {
            stations,
            head: Part::NONE,
            head_only: false,
            trailers: Part::NONE,
            out: Body::default(),
            out_end: false,
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
        self.head.value.is_some() || self.head.sent
    }

    /// Returns whether the head has been sent.
    pub(crate) fn is_head_sent(&self) -> bool {
        self.head.sent
    }

    /// Returns whether the whole message has been handed in.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Returns whether the whole message has been sent, or never will be.
    pub(crate) fn is_over(&self) -> bool {
        self.finished || self.closed
    }

    /// Returns whether the whole message has been sent.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Returns whether there is nothing to do until something happens.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet || self.closed
    }

    /// Makes `content-length` say nothing about the bytes that follow.
    pub(crate) fn set_bodiless(&mut self) {
        self.bodiless = true;
    }

    /// Takes in the head.
    #[inline]
    pub(crate) fn push_head(&mut self, head: H, end_of_stream: bool) {
        if self.has_begun() || self.closed {
            return;
        }
        self.head.value = Some(head);
        self.head_only = end_of_stream;
        self.ended = end_of_stream;
        self.quiet = false;
    }

    /// Takes in bytes of the body.
    #[inline]
    pub(crate) fn push_data(&mut self, bytes: Bytes, end_of_stream: bool) {
        if !self.has_begun() || self.ended || self.closed {
            return;
        }
        self.ended = end_of_stream;
        self.deliver(0, Body::from(bytes), end_of_stream);
    }

    /// Takes in the trailers.
    pub(crate) fn push_trailers(&mut self, trailers: HeaderMap) {
        if !self.has_begun() || self.ended || self.closed {
            return;
        }
        self.trailers.value = Some(Box::new(trailers));
        self.ended = true;
        self.quiet = false;
    }

    /// Has nothing come out any more. Head and trailers stay, to be read.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.quiet = true;
        self.empty();
    }

    /// Sends another message instead, past all filters.
    pub(crate) fn replace(&mut self, head: H, body: Bytes) {
        self.empty();
        self.head = Part {
            value: Some(head),
            at: self.stations.len(),
            ..Part::NONE
        };
        self.trailers = Part::NONE;
        self.head_only = body.is_empty();
        self.out_end = !body.is_empty();
        self.out = Body::from(body);
        self.ended = true;
        self.quiet = false;
        self.length = length::Length::default();
    }

    fn empty(&mut self) {
        self.out = Body::default();
        self.stations.fill_with(Station::default);
    }

    /// Returns whether the filter holds anything.
    pub(crate) fn is_held_by(&self, filter: FilterIndex) -> bool {
        self.station(filter)
            .is_some_and(|station| station.pause != Pause::None)
    }

    /// Returns whether the head has come to the filter, and the filter has been or would have been shown it.
    pub(crate) fn has_reached(&self, filter: FilterIndex) -> bool {
        self.has_begun() && self.head.has_reached(self.station_of(filter))
    }

    /// Returns whether a callback of this message may still come for a filter with this interest.
    pub(crate) fn may_enter(&self, filter: FilterIndex, interest: Interest) -> bool {
        let Some(station) = self.station(filter).filter(|_| !self.is_over()) else {
            return false;
        };
        let rest = H::BODY.union(H::TRAILERS);
        if !self.has_reached(filter) {
            return interest.intersects(H::HEADERS.union(rest));
        }
        let body_ahead = !self.head_only && matches!(station.end, End::Ahead | End::Waiting);
        let trailers_passed = self.trailers.has_reached(self.station_of(filter));
        body_ahead && !trailers_passed && interest.intersects(rest)
    }

    /// Returns whether more of the body should be handed in now.
    pub(crate) fn wants_data(&self, limit: usize) -> bool {
        // A limit of nothing must not keep a filter from being asked at all.
        let full =
            |station: &Station| station.is_throttling() && station.body_len() >= limit.max(1);
        !self.stations.iter().any(full)
    }

    /// Returns whether nothing will look at or hold any more of this message's body.
    pub(crate) fn is_transparent(&self, around: Surroundings<'_>) -> bool {
        self.head.sent
            && !self.closed
            && self.trailers.value.is_none()
            && self.out.is_empty()
            && self.stations.iter().all(Station::is_idle)
            && !around.is_wanted(H::BODY.union(H::TRAILERS))
            && self.culprit().is_none()
    }

    /// Returns the filter that keeps the message from going on, if one does.
    pub(crate) fn holder(&self) -> Option<FilterIndex> {
        let holds = |station: &Station| station.pause != Pause::None;
        let at = self.stations.iter().position(holds)?;
        Some(self.filter_at(at))
    }

    /// Returns whether the filter paused in its headers callback such that its body callbacks wait, too, although it
    /// has some.
    pub(crate) fn hides_body(&self, filter: FilterIndex, around: Surroundings<'_>) -> bool {
        let wants_body = around.filters.get(filter.0).is_some_and(|filter| {
            filter.on_headers_pause == HeadersPause::StopAll && filter.interest.intersects(H::BODY)
        });
        let holds_all = |station: &Station| station.pause == Pause::AllAndWatermark;
        wants_body && !self.head_only && self.station(filter).is_some_and(holds_all)
    }

    fn filter_at(&self, at: usize) -> FilterIndex {
        match H::DIRECTION {
            Direction::Request => FilterIndex(at),
            Direction::Response => FilterIndex(self.stations.len().wrapping_sub(at + 1)),
        }
    }

    /// Returns the number of the filter's station; of none for a filter that does not exist.
    fn station_of(&self, filter: FilterIndex) -> usize {
        let at = match H::DIRECTION {
            Direction::Request => Some(filter.0),
            Direction::Response => self.stations.len().checked_sub(filter.0.saturating_add(1)),
        };
        at.filter(|at| *at < self.stations.len())
            .unwrap_or(usize::MAX)
    }

    fn station(&self, filter: FilterIndex) -> Option<&Station> {
        self.stations.get(self.station_of(filter))
    }

    fn station_mut(&mut self, filter: FilterIndex) -> Option<&mut Station> {
        let at = self.station_of(filter);
        self.stations.get_mut(at)
    }
}

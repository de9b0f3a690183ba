//! What the machine knows of a filter.

use std::cell::Cell;
use std::fmt;

use crate::deviation::{Deviation, Deviations};
use crate::interest::Interest;

/// A filter of the chain, as the machine is told of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// The callbacks the filter wants.
    pub interest: Interest,
    /// What a plain `pause` of its headers callbacks means.
    pub on_headers_pause: HeadersPause,
}

/// What [`HeaderAction::Pause`](crate::HeaderAction::Pause) means (ABI reference, 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeadersPause {
    /// Head, body and trailers are held, the body with back-pressure. Envoy's default.
    #[default]
    StopAll,
    /// Only the head is held; body and trailers callbacks keep coming, and "continue" from one of them releases the
    /// head too. Envoy's `allow_on_headers_stop_iteration`.
    StopIteration,
}

/// Names a filter of the chain: its place in the configured order, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilterIndex(pub usize);

impl fmt::Display for FilterIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the machine keeps of a filter that is not tied to one direction.
#[derive(Debug)]
pub(crate) struct FilterState {
    /// The callbacks that the filter still wants.
    pub(crate) interest: Interest,
    /// The callbacks that the filter has given up for this stream. They differ from those it never wanted: they do not
    /// count as "continue" while the filter holds something, so that giving them up releases nothing.
    pub(crate) given_up: Interest,
    pub(crate) on_headers_pause: HeadersPause,
    /// The deviations from Envoy that the filter has relied on and that nobody has asked for yet. A cell, because
    /// reading a map can be one.
    pub(crate) deviations: Cell<Deviations>,
}

impl FilterState {
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            interest: filter.interest,
            given_up: Interest::NONE,
            on_headers_pause: filter.on_headers_pause,
            deviations: Cell::default(),
        }
    }

    /// Notes that the filter has relied on a deviation.
    pub(crate) fn note(&self, deviation: Deviation) {
        self.deviations.set(self.deviations.get().with(deviation));
    }

    /// Keeps only the callbacks of `interest`.
    pub(crate) fn narrow(&mut self, interest: Interest) {
        self.given_up = self.given_up.union(self.interest.difference(interest));
        self.interest = self.interest.intersection(interest);
    }

    /// Makes the filter one that was never interested in anything.
    pub(crate) fn switch_off(&mut self) {
        self.interest = Interest::NONE;
        self.given_up = Interest::NONE;
    }
}

//! The parts of a message that go from station to station in one piece: head and trailers.

/// A part of a message and how far it has come.
#[derive(Debug)]
pub(super) struct Part<T> {
    /// The part, once it has come in. After it was sent, a copy if a filter may still read it.
    pub(super) value: Option<T>,
    /// The station where it is; past the last one, it is on its way out.
    pub(super) at: usize,
    /// That station's filter has been shown it, and holds it until it passes.
    pub(super) shown: bool,
    pub(super) sent: bool,
}

impl<T> Part<T> {
    pub(super) const NONE: Self = Self {
        value: None,
        at: 0,
        shown: false,
        sent: false,
    };

    /// Returns whether it waits at a station for being shown.
    #[inline]
    pub(super) fn waits_at(&self, at: usize) -> bool {
        self.at == at && !self.shown && self.value.is_some()
    }

    /// Returns whether it has been shown at a station, and has not passed it.
    #[inline]
    pub(super) fn is_held_at(&self, at: usize) -> bool {
        self.at == at && self.shown
    }

    /// Returns whether it has been shown at a station, or passed it.
    #[inline]
    pub(super) fn has_reached(&self, at: usize) -> bool {
        self.at > at || self.is_held_at(at)
    }

    /// Moves it to the next station if it has been shown at this one.
    #[inline]
    pub(super) fn pass(&mut self, at: usize) {
        if self.is_held_at(at) {
            self.at += 1;
            self.shown = false;
        }
    }
}

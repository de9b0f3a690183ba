//! What a filter may read and write of a message (ABI reference, 7.1).

use http::HeaderMap;

use crate::access::{BodyError, Unavailable};
use crate::filter::FilterIndex;
use crate::head::Head;
use crate::station::{End, Station};

use super::Path;

impl<H: Head> Path<H> {
    /// Returns the head, unless it has been sent and nobody may read it any more.
    pub(crate) fn any_head(&self) -> Option<&H> {
        self.head.value.as_ref()
    }

    /// Returns the head if the filter may read it. `over`: the exchange is over, and all that ever was can be read.
    pub(crate) fn head(&self, filter: FilterIndex, over: bool) -> Result<&H, Unavailable> {
        let readable = over || self.has_reached(filter);
        self.head
            .value
            .as_ref()
            .filter(|_| readable)
            .ok_or(Unavailable)
    }

    /// Returns the head if the filter may write it: it is shown the head, or holds it.
    pub(crate) fn head_mut(&mut self, filter: FilterIndex) -> Result<&mut H, Unavailable> {
        if self.closed || !self.holds_head(filter) {
            return Err(Unavailable);
        }
        self.note_write();
        self.head.value.as_mut().ok_or(Unavailable)
    }

    /// Returns the head's fields if the filter may write them, for an edit that leaves `content-length` and the
    /// authority alone.
    #[inline]
    pub(crate) fn other_fields_mut(
        &mut self,
        filter: FilterIndex,
    ) -> Result<&mut HeaderMap, Unavailable> {
        if self.closed || !self.holds_head(filter) {
            return Err(Unavailable);
        }
        self.head
            .value
            .as_mut()
            .map(H::headers_mut)
            .ok_or(Unavailable)
    }

    /// Returns whether the filter is shown the head, or holds it.
    pub(crate) fn holds_head(&self, filter: FilterIndex) -> bool {
        self.head.is_held_at(self.station_of(filter))
    }

    /// Returns the trailers if the filter may read them.
    pub(crate) fn trailers(
        &self,
        filter: FilterIndex,
        over: bool,
    ) -> Result<&HeaderMap, Unavailable> {
        let readable = over || self.trailers.has_reached(self.station_of(filter));
        self.trailers
            .value
            .as_deref()
            .filter(|_| readable)
            .ok_or(Unavailable)
    }

    /// Returns the trailers if the filter may write them: it is shown the trailers, or holds them. In the callback that
    /// shows the end of the body they are made.
    pub(crate) fn trailers_mut(
        &mut self,
        filter: FilterIndex,
    ) -> Result<&mut HeaderMap, Unavailable> {
        let at = self.station_of(filter);
        let shows_end = |station: &Station| station.viewing && station.end == End::Shown;
        if self.trailers.value.is_none() && self.stations.get(at).is_some_and(shows_end) {
            self.trailers.at = at;
            self.trailers.shown = true;
            return Ok(self.trailers.value.insert(Box::default()));
        }
        if self.closed || !self.holds_trailers(filter) {
            return Err(Unavailable);
        }
        self.trailers.value.as_deref_mut().ok_or(Unavailable)
    }

    /// Returns whether the filter is shown the trailers, or holds them.
    pub(crate) fn holds_trailers(&self, filter: FilterIndex) -> bool {
        self.trailers.is_held_at(self.station_of(filter))
    }

    pub(crate) fn body_size(&self, filter: FilterIndex) -> Result<usize, BodyError> {
        self.station(filter)
            .and_then(Station::view_len)
            .ok_or(BodyError::Unavailable)
    }

    pub(crate) fn body_read(
        &self,
        filter: FilterIndex,
        start: usize,
        count: usize,
    ) -> Result<Vec<u8>, BodyError> {
        let seen = self
            .station(filter)
            .filter(|station| station.view_len().is_some());
        Ok(seen.ok_or(BodyError::Unavailable)?.read(start, count))
    }

    pub(crate) fn body_splice(
        &mut self,
        filter: FilterIndex,
        start: usize,
        count: usize,
        data: &[u8],
        limit: usize,
    ) -> Result<(), BodyError> {
        let size = self.body_size(filter)?;
        let count = count.min(size.checked_sub(start).ok_or(BodyError::OutOfRange)?);
        let station = self.station_mut(filter).ok_or(BodyError::Unavailable)?;
        if data.len() > count && station.body_len() - count + data.len() > limit {
            return Err(BodyError::TooLarge);
        }
        station.splice(start, count, data);
        self.note_edit();
        Ok(())
    }
}

//! What a filter may read and write of a message (ABI reference, 7.1).

use http::HeaderMap;

use crate::access::{BodyError, Unavailable};
use crate::filter::FilterIndex;
use crate::head::Head;
use crate::station::{End, Pause};

use super::Path;

impl<H: Head> Path<H> {
    /// Returns the head if the filter may read it. `over`: the exchange is over, and all that ever was can be read.
    pub(crate) fn head(&self, filter: FilterIndex, over: bool) -> Result<&H, Unavailable> {
        self.head
            .as_ref()
            .filter(|_| over || self.has_reached(filter))
            .ok_or(Unavailable)
    }

    /// Returns the head if the filter may write it: it is shown the head, or holds it.
    pub(crate) fn head_mut(&mut self, filter: FilterIndex) -> Result<&mut H, Unavailable> {
        if self.closed || !self.holds_head(filter) {
            return Err(Unavailable);
        }
        self.note_write();
        self.head.as_mut().ok_or(Unavailable)
    }

    /// Returns whether the filter is shown the head, or holds it.
    pub(crate) fn holds_head(&self, filter: FilterIndex) -> bool {
        self.head_shown && self.head_at == self.station_of(filter)
    }

    /// Returns the trailers if the filter may read them.
    pub(crate) fn trailers(
        &self,
        filter: FilterIndex,
        over: bool,
    ) -> Result<&HeaderMap, Unavailable> {
        let at = self.station_of(filter);
        let reached = over || self.trailers_at > at || self.holds_trailers(filter);
        self.trailers
            .as_deref()
            .filter(|_| reached && at < self.stations.len())
            .ok_or(Unavailable)
    }

    /// Returns the trailers if the filter may write them: it is shown the trailers, or holds them. In the callback that
    /// shows the end of the body they are made.
    pub(crate) fn trailers_mut(
        &mut self,
        filter: FilterIndex,
    ) -> Result<&mut HeaderMap, Unavailable> {
        let at = self.station_of(filter);
        let station = self.stations.get(at).ok_or(Unavailable)?;
        if self.trailers.is_none() && station.viewing && station.end == End::Shown {
            self.trailers_at = at;
            self.trailers_shown = true;
            return Ok(self.trailers.insert(Box::default()));
        }
        if self.closed || !self.holds_trailers(filter) {
            return Err(Unavailable);
        }
        self.trailers.as_deref_mut().ok_or(Unavailable)
    }

    /// Returns whether the filter is shown the trailers, or holds them.
    pub(crate) fn holds_trailers(&self, filter: FilterIndex) -> bool {
        self.trailers_shown && self.trailers_at == self.station_of(filter)
    }

    pub(crate) fn body_size(&self, filter: FilterIndex) -> Result<usize, BodyError> {
        let station = self
            .stations
            .get(self.station_of(filter))
            .ok_or(BodyError::Unavailable)?;
        station.view_len().ok_or(BodyError::Unavailable)
    }

    pub(crate) fn body_read(
        &self,
        filter: FilterIndex,
        start: usize,
        count: usize,
    ) -> Result<Vec<u8>, BodyError> {
        self.body_size(filter)?;
        let station = self
            .stations
            .get(self.station_of(filter))
            .ok_or(BodyError::Unavailable)?;
        Ok(station.read(start, count))
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
        let at = self.station_of(filter);
        let station = self.stations.get_mut(at).ok_or(BodyError::Unavailable)?;
        let room = size.checked_sub(start).ok_or(BodyError::OutOfRange)?;
        let count = count.min(room);
        if data.len() > count && station.body_len() - count + data.len() > limit {
            return Err(BodyError::TooLarge);
        }
        station.splice(start, count, data);
        Ok(())
    }

    /// Returns whether the filter holds bytes behind or before another filter that holds some too.
    pub(crate) fn shares_holding(&self, filter: FilterIndex) -> bool {
        let at = self.station_of(filter);
        let holds = |at: usize| {
            self.stations
                .get(at)
                .is_some_and(|station| station.pause != Pause::None && station.body_len() > 0)
        };
        holds(at) && (0..self.stations.len()).any(|other| other != at && holds(other))
    }

    /// Returns whether the machine has corrected `content-length` since last asked.
    pub(crate) fn take_corrected(&mut self) -> bool {
        std::mem::take(&mut self.length.corrected)
    }
}

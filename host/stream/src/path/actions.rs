//! What filters answer to callbacks, and resuming (ABI reference, 6.2).

use std::mem;

use crate::deviation::Deviation;
use crate::effect::{DataAction, HeaderAction, TrailersAction};
use crate::filter::{FilterIndex, HeadersPause};
use crate::head::Head;
use crate::station::{End, Pause};

use super::part::Part;
use super::{Path, Surroundings};

impl<H: Head> Path<H> {
    /// Does what the filter answered to its headers callback.
    pub(crate) fn act_on_head(
        &mut self,
        filter: FilterIndex,
        action: HeaderAction,
        around: Surroundings<'_>,
    ) {
        let on_pause = around
            .filters
            .get(filter.0)
            .map(|filter| filter.on_headers_pause);
        let pause = match (action, on_pause.unwrap_or_default()) {
            (HeaderAction::Continue | HeaderAction::ContinueAndEndStream, _) => Pause::None,
            (HeaderAction::Pause, HeadersPause::StopIteration) => Pause::Shown,
            (HeaderAction::Pause, HeadersPause::StopAll)
            | (HeaderAction::PauseAllAndWatermark, _) => Pause::AllAndWatermark,
            (HeaderAction::PauseAllAndBuffer, _) => Pause::AllAndBuffer,
        };
        self.quiet = false;
        if pause == Pause::None {
            self.release(self.station_of(filter), around);
        } else if let Some(station) = self.station_mut(filter) {
            station.pause = pause;
        }
    }

    /// Does what the filter answered to its body callback.
    pub(crate) fn act_on_body(
        &mut self,
        filter: FilterIndex,
        action: DataAction,
        around: Surroundings<'_>,
    ) {
        let at = self.station_of(filter);
        let Some(station) = self.stations.get_mut(at) else {
            return;
        };
        self.quiet = false;
        station.viewing = false;
        if self.trailers.is_held_at(at) {
            // The callback has made trailers. If it has put anything in, they are the end of the message.
            if self
                .trailers
                .value
                .as_ref()
                .is_some_and(|made| !made.is_empty())
            {
                station.end = End::Passed;
            } else {
                self.trailers = Part::NONE;
            }
        }
        match action {
            DataAction::Continue => return self.release(at, around),
            DataAction::PauseAndBuffer => station.buffering = true,
            DataAction::PauseAndWatermark => station.buffering = false,
            DataAction::PauseNoBuffer => {
                if station.drop_view() && mem::take(&mut station.buffering) {
                    note(around, filter, Deviation::NoBufferDropsAll);
                }
                self.note_edit();
                return self.hold(filter, around);
            }
        }
        self.hold(filter, around);
    }

    /// Does what the filter answered to its trailers callback.
    pub(crate) fn act_on_trailers(
        &mut self,
        filter: FilterIndex,
        action: TrailersAction,
        around: Surroundings<'_>,
    ) {
        match action {
            TrailersAction::Continue => self.release(self.station_of(filter), around),
            TrailersAction::Pause => self.hold(filter, around),
        }
    }

    fn hold(&mut self, filter: FilterIndex, around: Surroundings<'_>) {
        if let Some(station) = self.station_mut(filter) {
            station.pause = Pause::Shown;
        }
        let holders = self
            .stations
            .iter()
            .filter(|station| station.pause != Pause::None && station.body_len() > 0);
        if holders.count() > 1 {
            note(around, filter, Deviation::BuffersPerFilter);
        }
    }

    /// Asks for a resume once the running callback has returned.
    pub(crate) fn resume_later(&mut self, filter: FilterIndex) {
        if let Some(station) = self.station_mut(filter) {
            station.resume = true;
        }
    }

    /// Does the resumes that were asked for.
    pub(crate) fn do_resumes(&mut self, around: Surroundings<'_>) {
        for at in 0..self.stations.len() {
            if self
                .stations
                .get_mut(at)
                .is_some_and(|station| mem::take(&mut station.resume))
            {
                self.resume(self.filter_at(at), around);
            }
        }
    }

    /// Forgets the resumes that were asked for.
    pub(crate) fn forget_resumes(&mut self) {
        for station in &mut self.stations {
            station.resume = false;
        }
    }

    /// Lets go on what the filter holds.
    pub(crate) fn resume(&mut self, filter: FilterIndex, around: Surroundings<'_>) {
        let at = self.station_of(filter);
        let Some(station) = self.stations.get_mut(at) else {
            return;
        };
        match station.pause {
            Pause::None => note(around, filter, Deviation::ResumeWithoutPause),
            Pause::Shown => self.release(at, around),
            Pause::AllAndBuffer | Pause::AllAndWatermark => {
                // Body and trailers have not been shown yet: the filter's own callbacks come before the next filter.
                station.pause = Pause::None;
                self.release_head(at, around);
            }
        }
    }
}

fn note(around: Surroundings<'_>, filter: FilterIndex, deviation: Deviation) {
    if let Some(filter) = around.filters.get(filter.0) {
        filter.note(deviation);
    }
}

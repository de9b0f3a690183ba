//! How a message moves from station to station.

use crate::body::Body;
use crate::deviation::Deviation;
use crate::head::Head;
use crate::station::Pause;

use super::{Fault, Path, Shown, Step, Surroundings};

/// What came of looking for work at a station.
enum Work {
    /// There was none.
    None,
    /// Something has moved on.
    Moved,
    /// The caller has to do something.
    Step(Step),
}

impl<H: Head> Path<H> {
    /// Returns what is to be done next.
    #[inline]
    pub(crate) fn next(&mut self, around: Surroundings<'_>) -> Option<Step> {
        if self.is_quiet() {
            return None;
        }
        self.find_step(around)
    }

    fn find_step(&mut self, around: Surroundings<'_>) -> Option<Step> {
        'moved: loop {
            if let Some(step) = self.send(around) {
                return Some(step);
            }
            for at in (0..self.stations.len()).rev() {
                match self.work_at(at, around) {
                    Work::None => {}
                    Work::Moved => continue 'moved,
                    Work::Step(step) => return Some(step),
                }
            }
            self.quiet = true;
            return None;
        }
    }

    /// Looks for work at a station.
    fn work_at(&mut self, at: usize, around: Surroundings<'_>) -> Work {
        let index = self.filter_at(at);
        let (Some(filter), Some(station)) =
            (around.filters.get(index.0), self.stations.get_mut(at))
        else {
            return Work::None;
        };
        if self.head.at < at || station.viewing {
            return Work::None;
        }
        if self.head.waits_at(at) {
            self.head.shown = true;
            if filter.interest.contains(H::HEADERS) {
                let count = self.head.value.as_ref().map_or(0, Head::count);
                let end_of_stream = self.head_only;
                return Work::Step(Step::Callback(
                    index,
                    Shown::Headers {
                        count,
                        end_of_stream,
                    },
                ));
            }
            return self.pass_on(at, around);
        }
        if station.is_buffering() && station.body_len() > around.limit {
            return Work::Step(Step::Fault(Fault::TooLarge(index)));
        }
        if station.holds_all() {
            return Work::None;
        }
        // A filter that holds something and has given up what could release it holds on until it resumes.
        let holds = station.pause == Pause::Shown;
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
            if !(holds && filter.given_up.contains(H::BODY)) {
                return self.pass_on(at, around);
            }
            filter.note(Deviation::GivenUpCallbacksHold);
        }
        if self.trailers.waits_at(at) {
            self.trailers.shown = true;
            if filter.interest.contains(H::TRAILERS) {
                let count = self
                    .trailers
                    .value
                    .as_ref()
                    .map_or(0, |trailers| trailers.len());
                return Work::Step(Step::Callback(index, Shown::Trailers { count }));
            }
            if !(holds && filter.given_up.contains(H::TRAILERS)) {
                return self.pass_on(at, around);
            }
            filter.note(Deviation::GivenUpCallbacksHold);
        }
        Work::None
    }

    fn pass_on(&mut self, at: usize, around: Surroundings<'_>) -> Work {
        self.release(at, around);
        Work::Moved
    }

    /// Lets go on what the filter has been shown: "continue".
    pub(super) fn release(&mut self, at: usize, around: Surroundings<'_>) {
        self.release_head(at, around);
        if let Some(station) = self.stations.get_mut(at) {
            station.pause = Pause::None;
            station.buffering = false;
            let (body, end) = station.take_settled();
            if end || !body.is_empty() {
                self.deliver(at + 1, body, end);
            }
        }
        self.trailers.pass(at);
        self.quiet = false;
    }

    /// Lets the head go on if it is held here.
    pub(super) fn release_head(&mut self, at: usize, around: Surroundings<'_>) {
        if self.head.is_held_at(at) {
            self.settle_length(at, around);
            self.head.pass(at);
            self.quiet = false;
        }
    }

    /// Hands bytes to a station, or out.
    pub(super) fn deliver(&mut self, at: usize, body: Body, end: bool) {
        self.quiet = false;
        match self.stations.get_mut(at) {
            Some(station) => station.push(body, end),
            None => {
                self.out.append(body);
                self.out_end |= end;
            }
        }
    }
}

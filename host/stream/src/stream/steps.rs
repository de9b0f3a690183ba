//! From what a path does next to what the driver does next.

use crate::effect::{Callback, Direction, Effect};
use crate::filter::FilterIndex;
use crate::interest::Interest;
use crate::path::{Fault, Shown, Step};
use crate::reset::ResetReason;

use super::takeover::Takeover;
use super::{Phase, Running, Stream, around_request, around_response};

impl Stream {
    /// Returns the effect of a step of the request path; none if the step led to something else.
    #[inline]
    pub(super) fn request_effect(&mut self, step: Step) -> Option<Effect> {
        match step {
            Step::Callback(filter, shown) => Some(self.enter(filter, request_callback(shown))),
            Step::Head => {
                let around = around_request(&self.filters, self.limits);
                let (head, end_of_stream) = self.request.take_head(around)?;
                Some(Effect::RequestHead {
                    head,
                    end_of_stream,
                })
            }
            Step::Data(bytes, end) => Some(Effect::RequestData(bytes, end)),
            Step::Trailers => {
                let around = around_request(&self.filters, self.limits);
                self.request
                    .take_trailers(around)
                    .map(Effect::RequestTrailers)
            }
            Step::Fault(fault) => self.fail(fault, Direction::Request),
        }
    }

    /// Returns the effect of a step of the response path; none if the step led to something else.
    #[inline]
    pub(super) fn response_effect(&mut self, step: Step) -> Option<Effect> {
        match step {
            Step::Callback(filter, shown) => Some(self.enter(filter, response_callback(shown))),
            Step::Head => {
                let around = around_response(&self.filters, self.limits, &self.request);
                let (head, end_of_stream) = self.response.take_head(around)?;
                Some(Effect::ResponseHead {
                    head,
                    end_of_stream,
                })
            }
            Step::Data(bytes, end) => Some(Effect::ResponseData(bytes, end)),
            Step::Trailers => {
                let around = around_response(&self.filters, self.limits, &self.request);
                self.response
                    .take_trailers(around)
                    .map(Effect::ResponseTrailers)
            }
            Step::Fault(fault) => self.fail(fault, Direction::Response),
        }
    }

    /// Returns the callback of the next filter that is to hear of the end.
    pub(super) fn next_stream_end(&mut self) -> Option<Effect> {
        let Phase::Over(next) = &mut self.phase else {
            return None;
        };
        let wants = |index: &usize| {
            self.filters
                .get(*index)
                .is_some_and(|filter| filter.interest.contains(Interest::STREAM_END))
        };
        let found = (*next..self.filters.len()).find(wants);
        *next = found.map_or(self.filters.len(), |found| found + 1);
        found.map(|found| self.enter(FilterIndex(found), Callback::StreamEnd))
    }

    fn enter(&mut self, filter: FilterIndex, callback: Callback) -> Effect {
        self.running = Some(Running { filter, callback });
        Effect::Callback(filter, callback)
    }

    #[cold]
    fn fail(&mut self, fault: Fault, direction: Direction) -> Option<Effect> {
        match (fault, direction) {
            (Fault::TooLarge(filter), _) => self.run(Takeover::TooLarge(filter, direction)),
            (Fault::Missing(part), Direction::Request) => {
                self.run(Takeover::MissingFromRequest(part))
            }
            (Fault::Missing(part), Direction::Response) => {
                self.run(Takeover::MissingFromResponse(part))
            }
            (
                Fault::WrongLength {
                    filter,
                    declared,
                    actual,
                },
                _,
            ) => self.reset_with(ResetReason::ContentLength {
                filter,
                direction,
                declared,
                actual,
            }),
        }
        None
    }
}

fn request_callback(shown: Shown) -> Callback {
    match shown {
        Shown::Headers {
            count,
            end_of_stream,
        } => Callback::RequestHeaders {
            count: as_u32(count),
            end_of_stream,
        },
        Shown::Body {
            size,
            end_of_stream,
        } => Callback::RequestBody {
            size: as_u32(size),
            end_of_stream,
        },
        Shown::Trailers { count } => Callback::RequestTrailers {
            count: as_u32(count),
        },
    }
}

fn response_callback(shown: Shown) -> Callback {
    match shown {
        Shown::Headers {
            count,
            end_of_stream,
        } => Callback::ResponseHeaders {
            count: as_u32(count),
            end_of_stream,
        },
        Shown::Body {
            size,
            end_of_stream,
        } => Callback::ResponseBody {
            size: as_u32(size),
            end_of_stream,
        },
        Shown::Trailers { count } => Callback::ResponseTrailers {
            count: as_u32(count),
        },
    }
}

/// Plugins count in 32 bits.
fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

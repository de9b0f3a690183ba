//! From what a path does next to what the driver does next.

use crate::effect::{Callback, Direction, Effect};
use crate::filter::FilterIndex;
use crate::head::{RequestHead, ResponseHead};
use crate::interest::Interest;
use crate::path::{Shown, Step};
use crate::reset::ResetReason;

use super::takeover::Takeover;
use super::{Phase, Running, Stream};

impl Stream {
    pub(super) fn request_effect(&mut self, step: Step<RequestHead>) -> Option<Effect> {
        Some(match step {
            Step::Callback(filter, shown) => self.enter(filter, request_callback(shown)),
            Step::Head {
                head,
                end_of_stream,
            } => Effect::RequestHead {
                head,
                end_of_stream,
            },
            Step::Data(bytes, end) => Effect::RequestData(bytes, end),
            Step::Trailers(trailers) => Effect::RequestTrailers(trailers),
            Step::Missing(part) => return self.instead(Takeover::MissingFromRequest(part)),
            Step::TooLarge(filter) => {
                return self.instead(Takeover::TooLarge(filter, Direction::Request));
            }
            Step::WrongLength {
                filter,
                declared,
                actual,
            } => {
                return self.wrong_length(filter, Direction::Request, declared, actual);
            }
        })
    }

    pub(super) fn response_effect(&mut self, step: Step<ResponseHead>) -> Option<Effect> {
        Some(match step {
            Step::Callback(filter, shown) => self.enter(filter, response_callback(shown)),
            Step::Head {
                head,
                end_of_stream,
            } => Effect::ResponseHead {
                head,
                end_of_stream,
            },
            Step::Data(bytes, end) => Effect::ResponseData(bytes, end),
            Step::Trailers(trailers) => Effect::ResponseTrailers(trailers),
            Step::Missing(part) => return self.instead(Takeover::MissingFromResponse(part)),
            Step::TooLarge(filter) => {
                return self.instead(Takeover::TooLarge(filter, Direction::Response));
            }
            Step::WrongLength {
                filter,
                declared,
                actual,
            } => {
                return self.wrong_length(filter, Direction::Response, declared, actual);
            }
        })
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

    fn instead(&mut self, takeover: Takeover) -> Option<Effect> {
        self.run(takeover);
        None
    }

    fn wrong_length(
        &mut self,
        filter: FilterIndex,
        direction: Direction,
        declared: u64,
        actual: u64,
    ) -> Option<Effect> {
        self.reset_with(ResetReason::ContentLength {
            filter,
            direction,
            declared,
            actual,
        });
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

//! The rules that every stream keeps, whatever happens to it: which callbacks and effects may follow which.

use proxy_wasi_stream::{Callback, Direction, Effect, FilterIndex, Interest};

/// Watches a stream and panics when it breaks a rule.
#[derive(Debug)]
pub(crate) struct Grammar {
    filters: Vec<Watched>,
    request_out: Progress,
    response_out: Progress,
    abandoned: bool,
    reset: bool,
    over: bool,
}

#[derive(Debug)]
struct Watched {
    /// What the filter still wants.
    interest: Interest,
    request: Progress,
    response: Progress,
    told_of_end: bool,
}

/// How far a message has come, at one place.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Progress {
    Nothing,
    Head,
    Body,
    Ended,
}

impl Progress {
    /// A head: once, before all else.
    fn head(&mut self, end: bool) {
        assert_eq!(*self, Self::Nothing, "a head comes first, and once");
        *self = if end { Self::Ended } else { Self::Head };
    }

    /// Body bytes, or trailers if `end` without bytes being asked for: never after the end.
    fn more(&mut self, end: bool) {
        assert_ne!(
            *self,
            Self::Ended,
            "nothing comes after the end of a message"
        );
        *self = if end { Self::Ended } else { Self::Body };
    }
}

impl Grammar {
    pub(crate) fn new(interests: impl IntoIterator<Item = Interest>) -> Self {
        let watched = |interest| Watched {
            interest,
            request: Progress::Nothing,
            response: Progress::Nothing,
            told_of_end: false,
        };
        Self {
            filters: interests.into_iter().map(watched).collect(),
            request_out: Progress::Nothing,
            response_out: Progress::Nothing,
            abandoned: false,
            reset: false,
            over: false,
        }
    }

    /// A filter has given up callbacks.
    pub(crate) fn narrowed(&mut self, filter: FilterIndex, interest: Interest) {
        if let Some(filter) = self.filters.get_mut(filter.0) {
            filter.interest = filter.interest.intersection(interest);
        }
    }

    /// The exchange is over.
    pub(crate) fn ended(&mut self) {
        self.over = true;
    }

    /// Whether the whole message has come out.
    pub(crate) fn is_sent(&self, direction: Direction) -> bool {
        match direction {
            Direction::Request => self.request_out == Progress::Ended,
            Direction::Response => self.response_out == Progress::Ended,
        }
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.reset
    }

    /// Everybody who wanted to hear of the end has.
    pub(crate) fn assert_all_told(&self) {
        for (index, filter) in self.filters.iter().enumerate() {
            assert!(
                filter.told_of_end || !filter.interest.contains(Interest::STREAM_END),
                "filter {index}"
            );
        }
    }

    pub(crate) fn watch(&mut self, effect: &Effect) {
        if let Effect::Callback(filter, callback) = effect {
            return self.watch_callback(*filter, *callback);
        }
        assert!(!self.over, "nothing but the end follows the end");
        assert!(!self.reset, "nothing follows a reset");
        match effect {
            Effect::Callback(..) => {}
            Effect::RequestHead {
                head,
                end_of_stream,
            } => {
                assert!(
                    !self.abandoned,
                    "no request follows when the upstream is abandoned"
                );
                let connect = head.method == Some(http::Method::CONNECT);
                assert!(
                    head.method.is_some() && (connect || head.path.is_some()),
                    "a request has a start line"
                );
                self.request_out.head(*end_of_stream);
            }
            Effect::RequestData(bytes, end) => {
                assert!(!self.abandoned);
                assert!(*end || !bytes.is_empty(), "an empty piece is the end");
                assert_ne!(self.request_out, Progress::Nothing, "the head goes first");
                self.request_out.more(*end);
            }
            Effect::RequestTrailers(_) => {
                assert!(!self.abandoned);
                assert_ne!(self.request_out, Progress::Nothing, "the head goes first");
                self.request_out.more(true);
            }
            Effect::ResponseHead {
                head,
                end_of_stream,
            } => {
                assert!(head.status.is_some(), "a response has a status");
                self.response_out.head(*end_of_stream);
            }
            Effect::ResponseData(bytes, end) => {
                assert!(*end || !bytes.is_empty(), "an empty piece is the end");
                assert_ne!(self.response_out, Progress::Nothing, "the head goes first");
                self.response_out.more(*end);
            }
            Effect::ResponseTrailers(_) => {
                assert_ne!(self.response_out, Progress::Nothing, "the head goes first");
                self.response_out.more(true);
            }
            Effect::AbandonUpstream => {
                assert!(!self.abandoned, "the upstream is abandoned once");
                assert_eq!(
                    self.response_out,
                    Progress::Nothing,
                    "a response that has begun is not replaced"
                );
                self.abandoned = true;
            }
            Effect::Reset(_) => self.reset = true,
        }
    }

    fn watch_callback(&mut self, filter: FilterIndex, callback: Callback) {
        let watched = self.filters.get_mut(filter.0).expect("the filter exists");
        assert!(
            watched.interest.contains(interest_in(callback)),
            "filter {filter} does not want {callback:?}"
        );
        assert!(
            !watched.told_of_end,
            "nothing comes after the end of the stream"
        );
        let message_goes_on = !self.over && !self.reset;
        match callback {
            Callback::StreamEnd => {
                assert!(self.over, "the end comes at the end");
                watched.told_of_end = true;
            }
            Callback::RequestHeaders { end_of_stream, .. } => {
                assert!(message_goes_on && !self.abandoned);
                watched.request.head(end_of_stream);
            }
            Callback::RequestBody { end_of_stream, .. } => {
                assert!(message_goes_on && !self.abandoned);
                watched.request.more(end_of_stream);
            }
            Callback::RequestTrailers { .. } => {
                assert!(message_goes_on && !self.abandoned);
                watched.request.more(true);
            }
            Callback::ResponseHeaders { end_of_stream, .. } => {
                assert!(message_goes_on);
                watched.response.head(end_of_stream);
            }
            Callback::ResponseBody { end_of_stream, .. } => {
                assert!(message_goes_on);
                watched.response.more(end_of_stream);
            }
            Callback::ResponseTrailers { .. } => {
                assert!(message_goes_on);
                watched.response.more(true);
            }
        }
    }
}

fn interest_in(callback: Callback) -> Interest {
    match callback {
        Callback::RequestHeaders { .. } => Interest::REQUEST_HEADERS,
        Callback::RequestBody { .. } => Interest::REQUEST_BODY,
        Callback::RequestTrailers { .. } => Interest::REQUEST_TRAILERS,
        Callback::ResponseHeaders { .. } => Interest::RESPONSE_HEADERS,
        Callback::ResponseBody { .. } => Interest::RESPONSE_BODY,
        Callback::ResponseTrailers { .. } => Interest::RESPONSE_TRAILERS,
        Callback::StreamEnd => Interest::STREAM_END,
    }
}

/// A set of callbacks from the low bits of a number.
pub(crate) fn interest_from(bits: u8) -> Interest {
    let all = [
        Interest::REQUEST_HEADERS,
        Interest::REQUEST_BODY,
        Interest::REQUEST_TRAILERS,
        Interest::RESPONSE_HEADERS,
        Interest::RESPONSE_BODY,
        Interest::RESPONSE_TRAILERS,
        Interest::STREAM_END,
    ];
    let chosen = all
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0);
    chosen.fold(Interest::NONE, |set, (_, one)| set | one)
}

//! No byte is lost, repeated or reordered, however it is cut, held, resumed and edited; and every message ends.
//!
//! The model is a function: each filter replaces each byte by some bytes, so the message that comes out is the one that
//! went in, mapped by every filter in turn. How the machine gets there does not matter to it.

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use proptest::collection::vec;
use proptest::prelude::*;
use proxy_wasi_stream::{
    Callback, DataAction, Direction, Effect, Filter, FilterIndex, HeadersPause, Interest, Limits,
    Stream,
};

mod filters;

use filters::{Edit, Manners, Worker, edits, manners};

use crate::chain::{fields, go_on, request, response};
use crate::grammar::{Grammar, interest_from};

/// What a run has brought out.
#[derive(Debug, Default)]
struct Outcome {
    bytes: Vec<u8>,
    length: Option<String>,
    trailers: bool,
    reset: bool,
}

#[derive(Debug, Clone)]
enum Event {
    Data(Vec<u8>),
    Resume(usize),
}

/// A message on its way, its filters, and what came out.
struct Run {
    stream: Stream,
    direction: Direction,
    workers: Vec<Worker>,
    grammar: Grammar,
    outcome: Outcome,
}

impl Run {
    fn new(manners: &[Manners], direction: Direction, trailers: bool) -> Self {
        let filters: Vec<_> = manners
            .iter()
            .map(|manners| Filter {
                interest: interest_from(manners.interest),
                on_headers_pause: if manners.stop_iteration {
                    HeadersPause::StopIteration
                } else {
                    HeadersPause::StopAll
                },
            })
            .collect();
        let workers = manners.iter().map(|manners| Worker {
            manners: manners.clone(),
            edited: 0,
            hidden: 0,
            taken: Vec::new(),
            // Who has taken bytes over gives them back in the next body callback; there must be one.
            may_take: !trailers,
            callbacks: 0,
            seen: Vec::new(),
        });
        Self {
            direction,
            workers: workers.collect(),
            grammar: Grammar::new(filters.iter().map(|filter| filter.interest)),
            stream: Stream::new(filters, Limits::default()),
            outcome: Outcome::default(),
        }
    }

    fn tell(&mut self, event: impl FnOnce(&mut Stream)) {
        event(&mut self.stream);
        while let Some(effect) = self.stream.poll_effect() {
            self.grammar.watch(&effect);
            match effect {
                Effect::Callback(filter, callback) => {
                    let other = !callback_is_of(callback, self.direction);
                    let worker = &mut self.workers[filter.0];
                    let action = if other {
                        go_on(callback)
                    } else {
                        worker.run(&mut self.stream, filter, self.direction, callback)
                    };
                    self.stream.handle_action(filter, action);
                }
                Effect::RequestHead { head, .. } if self.direction == Direction::Request => {
                    self.outcome.length = head
                        .headers
                        .get(CONTENT_LENGTH)
                        .map(|value| format!("{value:?}"));
                }
                Effect::ResponseHead { head, .. } => {
                    self.outcome.length = head
                        .headers
                        .get(CONTENT_LENGTH)
                        .map(|value| format!("{value:?}"));
                }
                Effect::RequestData(bytes, _) | Effect::ResponseData(bytes, _) => {
                    self.outcome.bytes.extend(bytes)
                }
                Effect::RequestTrailers(_) | Effect::ResponseTrailers(_) => {
                    self.outcome.trailers = true
                }
                Effect::Reset(_) => self.outcome.reset = true,
                Effect::RequestHead { .. } | Effect::AbandonUpstream => {}
            }
        }
    }

    fn begin(&mut self, length: Option<usize>) {
        let length = length.map(HeaderValue::from);
        match self.direction {
            Direction::Request => {
                let mut head = request("POST");
                head.headers
                    .extend(length.map(|length| (CONTENT_LENGTH, length)));
                self.tell(|stream| stream.handle_request_head(head, false));
            }
            Direction::Response => {
                self.tell(|stream| stream.handle_request_head(request("GET"), true));
                let mut head = response(200, &[]);
                head.headers
                    .extend(length.map(|length| (CONTENT_LENGTH, length)));
                self.tell(|stream| stream.handle_response_head(head, false));
            }
        }
    }

    fn data(&mut self, data: Vec<u8>, end: bool) {
        let direction = self.direction;
        self.tell(|stream| match direction {
            Direction::Request => stream.handle_request_data(Bytes::from(data), end),
            Direction::Response => stream.handle_response_data(Bytes::from(data), end),
        });
    }

    fn trailers(&mut self) {
        let direction = self.direction;
        self.tell(|stream| match direction {
            Direction::Request => stream.handle_request_trailers(fields(&[("t", "1")])),
            Direction::Response => stream.handle_response_trailers(fields(&[("t", "1")])),
        });
    }

    fn resume(&mut self, filter: usize) {
        if let Some(worker) = self.workers.get_mut(filter) {
            (worker.edited, worker.hidden) = (0, 0);
            let direction = self.direction;
            self.tell(|stream| stream.resume(FilterIndex(filter), direction));
        }
    }

    /// Lets everything go on until the message has come out. Every round brings some filter's hold to an end for good,
    /// or the message one step further, so it takes no more rounds than there are answers.
    fn finish(&mut self) {
        for _ in 0..64 {
            if self.grammar.is_sent(self.direction) || self.grammar.is_reset() {
                return;
            }
            for filter in 0..self.workers.len() {
                self.resume(filter);
            }
        }
        panic!("the message does not end");
    }
}

fn callback_is_of(callback: Callback, direction: Direction) -> bool {
    let request = matches!(
        callback,
        Callback::RequestHeaders { .. }
            | Callback::RequestBody { .. }
            | Callback::RequestTrailers { .. }
    );
    request == (direction == Direction::Request)
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => vec(b'a'..b'k', 1..12).prop_map(Event::Data),
        2 => (0..4_usize).prop_map(Event::Resume),
    ];
    vec(event, 0..16)
}

/// Runs a message through filters, and returns what came out beside what should have.
fn run(
    manners: &[Manners],
    direction: Direction,
    length: bool,
    events: &[Event],
    trailers: bool,
) -> (Outcome, Vec<u8>) {
    let input: Vec<u8> = events
        .iter()
        .flat_map(|event| match event {
            Event::Data(data) => data.clone(),
            Event::Resume(_) => Vec::new(),
        })
        .collect();
    let mut run = Run::new(manners, direction, trailers);
    run.begin(length.then_some(input.len()));
    for event in events.iter().cloned() {
        match event {
            Event::Data(data) => run.data(data, false),
            Event::Resume(filter) => run.resume(filter),
        }
    }
    if trailers {
        run.trailers();
    } else {
        run.data(Vec::new(), true);
    }
    run.finish();

    let mut message = input;
    let mut order: Vec<usize> = (0..manners.len()).collect();
    if direction == Direction::Response {
        order.reverse();
    }
    let body = match direction {
        Direction::Request => Interest::REQUEST_BODY,
        Direction::Response => Interest::RESPONSE_BODY,
    };
    for filter in order {
        if interest_from(manners[filter].interest).contains(body) {
            if !run.outcome.reset {
                assert_eq!(
                    run.workers[filter].seen, message,
                    "filter {filter} sees every byte once"
                );
            }
            message = manners[filter].edit.apply(&message);
        }
    }
    (run.outcome, message)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_comes_out_is_what_went_in_as_edited(
        manners in vec(manners(edits()), 1..5),
        events in events(),
        trailers in any::<bool>(),
        response in any::<bool>(),
    ) {
        let direction = if response { Direction::Response } else { Direction::Request };
        let (outcome, expected) = run(&manners, direction, false, &events, trailers);
        prop_assert_eq!(outcome.bytes, expected);
        prop_assert_eq!(outcome.trailers, trailers);
        prop_assert!(!outcome.reset);
    }

    #[test]
    fn content_length_is_true_or_the_stream_is_reset(
        manners in vec(manners(edits()), 1..5),
        events in events(),
        response in any::<bool>(),
    ) {
        let direction = if response { Direction::Response } else { Direction::Request };
        let (outcome, expected) = run(&manners, direction, true, &events, false);
        if outcome.reset {
            prop_assert!(outcome.length.is_some(), "without a promise none is broken");
        } else {
            prop_assert_eq!(&outcome.bytes, &expected);
            if let Some(length) = outcome.length {
                prop_assert_eq!(length, format!("\"{}\"", expected.len()));
            }
        }
    }

    #[test]
    fn edits_that_keep_the_length_keep_the_stream(
        manners in vec(manners(prop_oneof![Just(Edit::None), Just(Edit::Replace)]), 1..5),
        events in events(),
        response in any::<bool>(),
    ) {
        // Taking bytes over changes the length for a while, so nobody does here.
        let direction = if response { Direction::Response } else { Direction::Request };
        let mut manners = manners;
        for manners in &mut manners {
            manners.body.retain(|(action, _)| *action != DataAction::PauseNoBuffer);
        }
        let (outcome, expected) = run(&manners, direction, true, &events, false);
        prop_assert!(!outcome.reset);
        prop_assert_eq!(outcome.bytes, expected);
    }
}

//! Any sequence of events, hostcalls and answers: no panic, no broken rule, no endless work.

use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use proptest::collection::vec;
use proptest::prelude::*;
use proxy_wasi_stream::{
    Action, Callback, DataAction, Direction, Effect, Filter, FilterIndex, HeaderAction,
    HeadersPause, Interest, Limits, MapKind, OnFailure, Stream, TrailersAction,
};

use crate::chain::{fields, local_response, request, response};
use crate::grammar::{Grammar, interest_from};

/// More effects than this for one event means that the machine does not come to rest.
const ENOUGH: usize = 1000;

#[derive(Debug, Clone)]
enum Event {
    RequestHead(&'static str, bool),
    RequestData(usize, bool),
    RequestTrailers(bool),
    ResponseHead(u16, bool),
    ResponseData(usize, bool),
    ResponseTrailers(bool),
    HostResponse,
    UpstreamReset,
    DownstreamClosed,
    End,
    Fail(usize, OnFailure),
    Command(usize, Command),
}

/// A hostcall of a filter.
#[derive(Debug, Clone)]
enum Command {
    Resume(Direction),
    Respond(u16, &'static str),
    Reset,
    Narrow(u8),
    Splice(Direction, usize, usize, usize),
    Declare(MapKind, &'static str),
    Touch(MapKind),
    SpoilRequest,
    SpoilResponse,
    ReadAll,
}

/// What a filter does in a callback.
#[derive(Debug, Clone)]
struct Answer {
    commands: Vec<(usize, Command)>,
    headers: HeaderAction,
    data: DataAction,
    trailers: TrailersAction,
    fail: Option<OnFailure>,
}

struct World {
    stream: Stream,
    grammar: Grammar,
    answers: Vec<Answer>,
    callbacks: usize,
}

impl World {
    fn new(filters: Vec<(u8, bool)>, answers: Vec<Answer>) -> Self {
        let filters: Vec<_> = filters
            .into_iter()
            .map(|(interest, stop_iteration)| Filter {
                interest: interest_from(interest),
                on_headers_pause: if stop_iteration {
                    HeadersPause::StopIteration
                } else {
                    HeadersPause::StopAll
                },
            })
            .collect();
        let limits = Limits {
            request_body_bytes: 24,
            response_body_bytes: 24,
        };
        Self {
            grammar: Grammar::new(filters.iter().map(|filter| filter.interest)),
            stream: Stream::new(filters, limits),
            answers,
            callbacks: 0,
        }
    }

    fn happen(&mut self, event: Event) {
        let stream = &mut self.stream;
        match event {
            Event::RequestHead(method, end) => {
                let mut head = request(method);
                head.headers
                    .insert(CONTENT_LENGTH, HeaderValue::from_static("9"));
                stream.handle_request_head(head, end);
            }
            Event::RequestData(size, end) => {
                stream.handle_request_data(vec![b'q'; size].into(), end)
            }
            Event::RequestTrailers(empty) => {
                stream.handle_request_trailers(if empty {
                    fields(&[])
                } else {
                    fields(&[("t", "1")])
                });
            }
            Event::ResponseHead(status, end) => {
                stream.handle_response_head(response(status, &[("content-length", "9")]), end);
            }
            Event::ResponseData(size, end) => {
                stream.handle_response_data(vec![b's'; size].into(), end)
            }
            Event::ResponseTrailers(empty) => {
                stream.handle_response_trailers(if empty {
                    fields(&[])
                } else {
                    fields(&[("t", "1")])
                });
            }
            Event::HostResponse => stream.handle_local_response(local_response(504, "late")),
            Event::UpstreamReset => stream.handle_upstream_reset(),
            Event::DownstreamClosed => self.close(Stream::end),
            Event::End => self.close(Stream::end),
            Event::Fail(filter, policy) => {
                stream.handle_filter_failed(FilterIndex(filter), policy);
                self.grammar.narrowed(FilterIndex(filter), Interest::NONE);
            }
            Event::Command(filter, command) => self.command(FilterIndex(filter), command),
        }
    }

    fn close(&mut self, how: fn(&mut Stream)) {
        how(&mut self.stream);
        self.grammar.ended();
    }

    fn command(&mut self, filter: FilterIndex, command: Command) {
        let stream = &mut self.stream;
        match command {
            Command::Resume(direction) => stream.resume(filter, direction),
            Command::Respond(status, body) => {
                stream.send_local_response(filter, local_response(status, body))
            }
            Command::Reset => stream.reset(filter),
            Command::Narrow(bits) => {
                stream.narrow_interest(filter, interest_from(bits));
                self.grammar.narrowed(filter, interest_from(bits));
            }
            Command::Splice(direction, start, count, size) => {
                let before = stream.body_size(filter, direction);
                let done = stream.body_splice(filter, direction, start, count, &vec![b'x'; size]);
                if let (Ok(before), Ok(())) = (before, done) {
                    let after = before - count.min(before - start) + size;
                    assert_eq!(stream.body_size(filter, direction), Ok(after));
                }
            }
            Command::Declare(map, length) => {
                if let Ok(map) = stream.fields_mut(filter, map) {
                    map.append(CONTENT_LENGTH, HeaderValue::from_static(length));
                }
            }
            Command::Touch(map) => _ = stream.fields_mut(filter, map),
            Command::SpoilRequest => {
                _ = stream.request_head_mut(filter).map(|head| head.path = None)
            }
            Command::SpoilResponse => {
                _ = stream
                    .response_head_mut(filter)
                    .map(|head| head.status = None)
            }
            Command::ReadAll => read_all(stream, filter),
        }
    }

    /// Does what the stream says until it says nothing more.
    fn settle(&mut self) {
        for _ in 0..ENOUGH {
            let Some(effect) = self.stream.poll_effect() else {
                return;
            };
            self.grammar.watch(&effect);
            if let Effect::Callback(filter, callback) = effect {
                self.answer(filter, callback);
            }
        }
        panic!("the stream does not come to rest");
    }

    fn answer(&mut self, filter: FilterIndex, callback: Callback) {
        read_all(&mut self.stream, filter);
        let answer = self.answers[self.callbacks % self.answers.len()].clone();
        self.callbacks += 1;
        for (other, command) in answer.commands {
            // Mostly the filter's own hostcalls, now and then those of another of the same VM.
            let who = if other == 0 {
                filter
            } else {
                FilterIndex(other - 1)
            };
            self.command(who, command);
        }
        if let Some(policy) = answer.fail {
            self.happen(Event::Fail(filter.0, policy));
            return;
        }
        let action = match callback {
            Callback::RequestHeaders { .. } | Callback::ResponseHeaders { .. } => {
                Action::Headers(answer.headers)
            }
            Callback::RequestBody { .. } | Callback::ResponseBody { .. } => {
                Action::Data(answer.data)
            }
            Callback::RequestTrailers { .. } | Callback::ResponseTrailers { .. } => {
                Action::Trailers(answer.trailers)
            }
            Callback::StreamEnd => Action::Done,
        };
        self.stream.handle_action(filter, action);
    }
}

/// Reads whatever there is: what is writable must be readable, and the sizes must agree.
fn read_all(stream: &mut Stream, filter: FilterIndex) {
    for map in [
        MapKind::RequestHeaders,
        MapKind::ResponseHeaders,
        MapKind::RequestTrailers,
        MapKind::ResponseTrailers,
    ] {
        let readable = stream.fields(filter, map).is_ok();
        let may_be_made = matches!(map, MapKind::RequestTrailers | MapKind::ResponseTrailers);
        assert!(readable || may_be_made || stream.fields_mut(filter, map).is_err());
    }
    for direction in [Direction::Request, Direction::Response] {
        if let Ok(size) = stream.body_size(filter, direction) {
            assert_eq!(
                stream
                    .body_read(filter, direction, 0, usize::MAX)
                    .map(|bytes| bytes.len()),
                Ok(size)
            );
        }
        let nothing_is_kept_back = stream.is_transparent(direction);
        assert!(!nothing_is_kept_back || stream.wants_data(direction));
    }
    while stream.take_deviation().is_some() {}
}

fn directions() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Request), Just(Direction::Response)]
}

fn policies() -> impl Strategy<Value = OnFailure> {
    prop_oneof![Just(OnFailure::Closed), Just(OnFailure::Open)]
}

fn maps() -> impl Strategy<Value = MapKind> {
    prop_oneof![
        Just(MapKind::RequestHeaders),
        Just(MapKind::RequestTrailers),
        Just(MapKind::ResponseHeaders),
        Just(MapKind::ResponseTrailers),
    ]
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        6 => directions().prop_map(Command::Resume),
        1 => prop_oneof![Just((403, "no")), Just((204, ""))].prop_map(|(status, body)| Command::Respond(status, body)),
        1 => Just(Command::Reset),
        1 => any::<u8>().prop_map(Command::Narrow),
        6 => (directions(), 0..9_usize, 0..9_usize, 0..9_usize)
            .prop_map(|(direction, start, count, size)| Command::Splice(direction, start, count, size)),
        2 => (maps(), prop_oneof![Just("9"), Just("12"), Just("x")])
            .prop_map(|(map, length)| Command::Declare(map, length)),
        2 => maps().prop_map(Command::Touch),
        1 => Just(Command::SpoilRequest),
        1 => Just(Command::SpoilResponse),
        2 => Just(Command::ReadAll),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let headers = prop_oneof![
        4 => Just(HeaderAction::Continue),
        1 => Just(HeaderAction::ContinueAndEndStream),
        2 => Just(HeaderAction::Pause),
        1 => Just(HeaderAction::PauseAllAndBuffer),
        1 => Just(HeaderAction::PauseAllAndWatermark),
    ];
    let data = prop_oneof![
        3 => Just(DataAction::Continue),
        2 => Just(DataAction::PauseAndBuffer),
        1 => Just(DataAction::PauseAndWatermark),
        1 => Just(DataAction::PauseNoBuffer),
    ];
    let trailers =
        prop_oneof![2 => Just(TrailersAction::Continue), 1 => Just(TrailersAction::Pause)];
    let fail = prop_oneof![24 => Just(None), 1 => policies().prop_map(Some)];
    let commands = vec(
        (prop_oneof![6 => Just(0_usize), 1 => 0..5_usize], commands()),
        0..3,
    );
    (commands, headers, data, trailers, fail).prop_map(
        |(commands, headers, data, trailers, fail)| Answer {
            commands,
            headers,
            data,
            trailers,
            fail,
        },
    )
}

fn events() -> impl Strategy<Value = Event> {
    let methods = prop_oneof![4 => Just("POST"), 1 => Just("HEAD"), 1 => Just("CONNECT")];
    let statuses = prop_oneof![4 => Just(200_u16), 1 => Just(304)];
    prop_oneof![
        6 => (methods, any::<bool>()).prop_map(|(method, end)| Event::RequestHead(method, end)),
        8 => (0..12_usize, any::<bool>()).prop_map(|(size, end)| Event::RequestData(size, end)),
        3 => any::<bool>().prop_map(Event::RequestTrailers),
        6 => (statuses, any::<bool>()).prop_map(|(status, end)| Event::ResponseHead(status, end)),
        8 => (0..12_usize, any::<bool>()).prop_map(|(size, end)| Event::ResponseData(size, end)),
        3 => any::<bool>().prop_map(Event::ResponseTrailers),
        1 => Just(Event::HostResponse),
        1 => Just(Event::UpstreamReset),
        1 => Just(Event::DownstreamClosed),
        1 => Just(Event::End),
        1 => (0..5_usize, policies()).prop_map(|(filter, policy)| Event::Fail(filter, policy)),
        16 => (0..5_usize, commands()).prop_map(|(filter, command)| Event::Command(filter, command)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn nothing_breaks_the_rules(
        filters in vec((prop_oneof![2 => Just(0x7f_u8), 1 => any::<u8>()], any::<bool>()), 0..5),
        answers in vec(answers(), 1..8),
        events in vec((events(), any::<bool>()), 0..40),
    ) {
        let mut world = World::new(filters, answers);
        for (event, settle) in events {
            world.happen(event);
            // Several things may happen before the driver gets to ask.
            if settle {
                world.settle();
            }
        }
        world.settle();
        world.happen(Event::End);
        world.settle();
        world.grammar.assert_all_told();
    }

    #[test]
    fn whatever_happens_in_a_callback_is_harmless(
        filters in vec((Just(0x7f_u8), any::<bool>()), 1..4),
        before in vec(events(), 0..8),
        during in vec(events(), 0..6),
        answer in answers(),
    ) {
        // Events of the world, too, may come while a callback is running: another filter's VM is entered meanwhile.
        let mut world = World::new(filters, vec![answer]);
        world.happen(Event::RequestHead("POST", false));
        for event in before {
            world.happen(event);
        }
        let mut running = None;
        for _ in 0..4 {
            match world.stream.poll_effect() {
                Some(effect) => {
                    world.grammar.watch(&effect);
                    if let Effect::Callback(filter, callback) = effect {
                        running = Some((filter, callback));
                        break;
                    }
                }
                None => break,
            }
        }
        for event in during {
            // Failing the running filter answers its callback.
            if matches!((&event, running), (Event::Fail(failed, _), Some((filter, _))) if *failed == filter.0) {
                running = None;
            }
            world.happen(event);
        }
        if let Some((filter, callback)) = running {
            world.answer(filter, callback);
        }
        world.settle();
        world.happen(Event::End);
        world.settle();
        world.grammar.assert_all_told();
    }
}

//! The order of callbacks, against a model that works as Envoy's filter manager does.
//!
//! The machine looks for work; Envoy pushes: each event runs down the chain as far as it gets, and a resume does so
//! again from where it stopped. The model below is that algorithm (`decodeHeaders`, `decodeData`, `decodeTrailers`,
//! `commonContinue` and `commonHandleAfter*Callback` of `source/common/http/filter_manager.cc`, with the body views of
//! `source/extensions/common/wasm/context.cc`), except where the list of deviations says otherwise: each filter has its
//! own buffer, and with it its own notion of what has come to it.

use proptest::collection::vec;
use proptest::prelude::*;
use proxy_wasi_stream::{
    Action, Callback, DataAction, Direction, Filter, FilterIndex, HeaderAction, HeadersPause,
    Interest, Stream, TrailersAction,
};

use crate::chain::{Chain, fields, request, response};

/// What a filter of the test does: its nth callback gets the nth answer, the last one over and over.
#[derive(Debug, Clone)]
struct Plan {
    stop_iteration: bool,
    headers: HeaderAction,
    body: Vec<DataAction>,
    trailers: TrailersAction,
}

impl Plan {
    fn body(&self, nth: usize) -> DataAction {
        self.body.get(nth).copied().unwrap_or(DataAction::Continue)
    }
}

#[derive(Debug, Clone)]
enum Event {
    Data(String, bool),
    Trailers,
    Resume(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Iteration {
    Continue,
    StopSingle,
    StopAll,
}

struct ModelFilter {
    plan: Plan,
    iteration: Iteration,
    headers_continued: bool,
    has_head: bool,
    has_end: bool,
    has_trailers: bool,
    buffer: Option<String>,
    /// The last body callback asked to be shown its bytes again.
    buffering: bool,
    body_callbacks: usize,
}

struct Model {
    filters: Vec<ModelFilter>,
    head_only: bool,
    trace: Vec<String>,
}

impl Model {
    fn new(plans: &[Plan], head_only: bool) -> Self {
        let filter = |plan: &Plan| ModelFilter {
            plan: plan.clone(),
            iteration: Iteration::Continue,
            headers_continued: false,
            has_head: false,
            has_end: false,
            has_trailers: false,
            buffer: None,
            buffering: false,
            body_callbacks: 0,
        };
        Self {
            filters: plans.iter().map(filter).collect(),
            head_only,
            trace: Vec::new(),
        }
    }

    fn decode_headers(&mut self, from: usize) {
        for at in from..self.filters.len() {
            let filter = &mut self.filters[at];
            filter.has_head = true;
            self.trace
                .push(format!("{at} headers{}", end(self.head_only)));
            match (filter.plan.headers, filter.plan.stop_iteration) {
                (HeaderAction::Continue | HeaderAction::ContinueAndEndStream, _) => {
                    filter.headers_continued = true
                }
                (HeaderAction::Pause, true) => filter.iteration = Iteration::StopSingle,
                _ => filter.iteration = Iteration::StopAll,
            }
            if filter.iteration != Iteration::Continue {
                return;
            }
        }
        self.trace.push(format!("out head{}", end(self.head_only)));
    }

    fn decode_data(&mut self, from: usize, mut data: String, end_stream: bool) {
        for at in from..self.filters.len() {
            let filter = &mut self.filters[at];
            filter.has_end |= end_stream;
            if filter.iteration == Iteration::StopAll {
                filter.buffer.get_or_insert_default().push_str(&data);
                return;
            }
            let seen = if filter.buffering {
                let buffer = filter.buffer.get_or_insert_default();
                buffer.push_str(&std::mem::take(&mut data));
                buffer.clone()
            } else {
                data.clone()
            };
            self.trace
                .push(format!("{at} body `{seen}`{}", end(end_stream)));
            let action = filter.plan.body(filter.body_callbacks);
            filter.body_callbacks += 1;
            let was_buffering =
                std::mem::replace(&mut filter.buffering, action == DataAction::PauseAndBuffer);
            match action {
                DataAction::Continue if filter.iteration == Iteration::StopSingle => {
                    filter.buffer.get_or_insert_default().push_str(&data);
                    return self.common_continue(at);
                }
                DataAction::Continue => continue,
                DataAction::PauseAndBuffer | DataAction::PauseAndWatermark => {
                    filter.buffer.get_or_insert_default().push_str(&data);
                }
                DataAction::PauseNoBuffer => {
                    if was_buffering {
                        filter.buffer = None;
                    }
                    if filter.has_end {
                        filter.buffer.get_or_insert_default();
                    }
                }
            }
            filter.iteration = Iteration::StopSingle;
            return;
        }
        self.trace.push(format!("out `{data}`{}", end(end_stream)));
    }

    fn decode_trailers(&mut self, from: usize) {
        for at in from..self.filters.len() {
            let filter = &mut self.filters[at];
            filter.has_trailers = true;
            if filter.iteration == Iteration::StopAll {
                return;
            }
            self.trace.push(format!("{at} trailers"));
            match filter.plan.trailers {
                TrailersAction::Continue if filter.iteration == Iteration::StopSingle => {
                    return self.common_continue(at);
                }
                TrailersAction::Continue => {}
                TrailersAction::Pause => {
                    filter.iteration = Iteration::StopSingle;
                    return;
                }
            }
        }
        self.trace.push("out trailers".into());
    }

    fn common_continue(&mut self, at: usize) {
        let filter = &mut self.filters[at];
        let from = if filter.iteration == Iteration::StopAll {
            at
        } else {
            at + 1
        };
        filter.iteration = Iteration::Continue;
        filter.buffering = false;
        let headers = filter.has_head && !std::mem::replace(&mut filter.headers_continued, true);
        let (end_stream, trailers) = (filter.has_end, filter.has_trailers);
        let data = filter.buffer.take();
        if headers {
            self.decode_headers(at + 1);
        }
        let end_stream = end_stream && !trailers;
        // Envoy would show an emptied buffer as an empty piece; nobody needs to see that.
        if let Some(data) = data.filter(|data| end_stream || !data.is_empty()) {
            self.decode_data(from, data, end_stream);
        }
        if trailers {
            self.decode_trailers(from);
        }
    }

    fn run(mut self, events: &[Event]) -> Vec<String> {
        self.decode_headers(0);
        for event in events {
            match event {
                Event::Data(data, end_stream) => self.decode_data(0, data.clone(), *end_stream),
                Event::Trailers => self.decode_trailers(0),
                Event::Resume(filter) => self.resume(*filter),
            }
        }
        self.trace
    }

    fn resume(&mut self, at: usize) {
        if self.filters[at].iteration != Iteration::Continue {
            self.common_continue(at);
        }
    }
}

fn end(end_of_stream: bool) -> &'static str {
    if end_of_stream { " end" } else { "" }
}

/// Runs the machine on the same message.
fn machine(plans: &[Plan], direction: Direction, head_only: bool, events: &[Event]) -> Vec<String> {
    let mut filters: Vec<_> = plans
        .iter()
        .map(|plan| follow(plan.clone(), direction))
        .collect();
    let last = filters.len() - 1;
    if direction == Direction::Response {
        filters.reverse();
    }
    let mut chain = Chain::new(filters);
    let mut log = match direction {
        Direction::Request => {
            chain.tell(|stream| stream.handle_request_head(request("POST"), head_only))
        }
        Direction::Response => {
            chain.tell(|stream| stream.handle_response_head(response(200, &[]), head_only))
        }
    };
    for event in events.iter().cloned() {
        let trailers = fields(&[("t", "1")]);
        log.extend(chain.tell(|stream| match (event, direction) {
            (Event::Data(data, end), Direction::Request) => {
                stream.handle_request_data(data.into(), end)
            }
            (Event::Data(data, end), Direction::Response) => {
                stream.handle_response_data(data.into(), end)
            }
            (Event::Trailers, Direction::Request) => stream.handle_request_trailers(trailers),
            (Event::Trailers, Direction::Response) => stream.handle_response_trailers(trailers),
            (Event::Resume(filter), Direction::Request) => {
                stream.resume(FilterIndex(filter), direction)
            }
            (Event::Resume(filter), Direction::Response) => {
                stream.resume(FilterIndex(last - filter), direction)
            }
        }));
    }
    log.iter()
        .map(|line| in_the_models_words(line, direction, last))
        .collect()
}

/// A filter that follows a plan.
fn follow(plan: Plan, direction: Direction) -> (Filter, crate::chain::Script) {
    let settings = Filter {
        interest: match direction {
            Direction::Request => Interest::REQUEST,
            Direction::Response => Interest::RESPONSE,
        },
        on_headers_pause: if plan.stop_iteration {
            HeadersPause::StopIteration
        } else {
            HeadersPause::StopAll
        },
    };
    let mut body_callbacks = 0;
    let script = move |_: &mut Stream, _, callback| match callback {
        Callback::RequestHeaders { .. } | Callback::ResponseHeaders { .. } => {
            Action::Headers(plan.headers)
        }
        Callback::RequestBody { .. } | Callback::ResponseBody { .. } => {
            body_callbacks += 1;
            Action::Data(plan.body(body_callbacks - 1))
        }
        Callback::RequestTrailers { .. } | Callback::ResponseTrailers { .. } => {
            Action::Trailers(plan.trailers)
        }
        Callback::StreamEnd => Action::Done,
    };
    (settings, Box::new(script))
}

/// `1 request body 2 `ab` end` is `1 body `ab` end`, and so on; on the response path filters count from the other end.
fn in_the_models_words(line: &str, direction: Direction, last: usize) -> String {
    let (subject, what) = line.split_once(' ').unwrap_or((line, ""));
    let end = if line.ends_with(" end") { " end" } else { "" };
    let Ok(filter) = subject.parse::<usize>() else {
        let head = what.starts_with("POST") || what.starts_with("200");
        return match what.strip_suffix(" t=1") {
            Some(trailers) => format!("out {trailers}"),
            None if head => format!("out head{end}"),
            None => format!("out {what}"),
        };
    };
    let filter = if direction == Direction::Request {
        filter
    } else {
        last - filter
    };
    let what = what.split_once(' ').map_or(what, |(_, what)| what);
    match what.split_once('`') {
        Some((_, body)) => format!("{filter} body `{body}"),
        None if what.starts_with("headers") => format!("{filter} headers{end}"),
        None => format!("{filter} trailers"),
    }
}

/// Joins pieces of a body that went out one after the other.
fn joined(trace: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for line in trace {
        match (joined.last_mut(), line.strip_prefix("out `")) {
            (Some(last), Some(more)) if last.starts_with("out `") && last.ends_with('`') => {
                last.pop();
                last.push_str(more);
            }
            _ => joined.push(line),
        }
    }
    joined
}

fn header_actions() -> impl Strategy<Value = HeaderAction> {
    prop_oneof![
        Just(HeaderAction::Continue),
        Just(HeaderAction::Pause),
        Just(HeaderAction::ContinueAndEndStream),
        Just(HeaderAction::PauseAllAndBuffer),
        Just(HeaderAction::PauseAllAndWatermark),
    ]
}

fn data_actions() -> impl Strategy<Value = DataAction> {
    prop_oneof![
        Just(DataAction::Continue),
        Just(DataAction::PauseAndBuffer),
        Just(DataAction::PauseAndWatermark),
        Just(DataAction::PauseNoBuffer),
    ]
}

fn plans() -> impl Strategy<Value = Plan> {
    let trailers = prop_oneof![Just(TrailersAction::Continue), Just(TrailersAction::Pause)];
    (
        any::<bool>(),
        header_actions(),
        vec(data_actions(), 0..6),
        trailers,
    )
        .prop_map(|(stop_iteration, headers, body, trailers)| Plan {
            stop_iteration,
            headers,
            body,
            trailers,
        })
}

fn messages() -> impl Strategy<Value = (bool, Vec<Event>)> {
    let piece = prop_oneof![3 => "[a-z]{1,3}".prop_map(Some), 2 => Just(None)];
    let ending = prop_oneof![Just("head"), Just("data"), Just("trailers")];
    (vec((piece, 0..4_usize), 0..8), ending, "[a-z]{0,2}").prop_map(|(steps, ending, rest)| {
        let head_only = ending == "head";
        let mut events = Vec::new();
        for (data, filter) in steps {
            match data {
                Some(data) if !head_only => events.push(Event::Data(data, false)),
                _ => events.push(Event::Resume(filter)),
            }
        }
        match ending {
            "data" => events.push(Event::Data(rest, true)),
            "trailers" => events.push(Event::Trailers),
            _ => {}
        }
        (head_only, events)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_machine_calls_back_in_the_same_order(
        plans in vec(plans(), 1..4),
        (head_only, mut events) in messages(),
        late in vec(0..3_usize, 0..6),
        response in any::<bool>(),
    ) {
        let direction = if response { Direction::Response } else { Direction::Request };
        events.extend(late.into_iter().map(Event::Resume));
        events.retain(|event| !matches!(event, Event::Resume(filter) if *filter >= plans.len()));
        // In the end everything is let go on.
        for filter in 0..plans.len() {
            events.extend([Event::Resume(filter), Event::Resume(filter), Event::Resume(filter)]);
        }
        let expected = joined(Model::new(&plans, head_only).run(&events));
        prop_assert_eq!(joined(machine(&plans, direction, head_only, &events)), expected.clone());
        let ended = expected.last().is_some_and(|last| last.ends_with(" end") || last == "out trailers");
        prop_assert!(ended, "{:?}", expected);
    }
}

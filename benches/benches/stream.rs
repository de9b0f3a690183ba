//! One exchange through the stream machine: a request without body, a response whose body comes in eight pieces, and
//! filters that let everything go on.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use proxy_wasi_stream::{
    Action, Callback, DataAction, Effect, Filter, HeaderAction, Interest, Limits, RequestHead,
    ResponseHead, Stream, TrailersAction,
};

static PIECE: [u8; 1024] = [b'x'; 1024];

fn exchange(filters: usize, interest: Interest) -> usize {
    let filter = Filter {
        interest,
        ..Filter::default()
    };
    let mut stream = Stream::new(std::iter::repeat_n(filter, filters), Limits::default());
    let mut effects = 0;

    let head = RequestHead {
        method: Some(Method::GET),
        path: Some(PathAndQuery::from_static("/")),
        ..RequestHead::default()
    };
    stream.handle_request_head(head, true);
    effects += drive(&mut stream);
    let head = ResponseHead {
        status: Some(StatusCode::OK),
        ..ResponseHead::default()
    };
    stream.handle_response_head(head, false);
    effects += drive(&mut stream);
    for piece in 1..=8 {
        stream.handle_response_data(Bytes::from_static(&PIECE), piece == 8);
        effects += drive(&mut stream);
    }
    stream.end();
    effects + drive(&mut stream)
}

/// Does what the machine says, with filters that always answer "continue". Returns how much there was to do.
fn drive(stream: &mut Stream) -> usize {
    let mut effects = 0;
    while let Some(effect) = stream.poll_effect() {
        effects += 1;
        if let Effect::Callback(filter, callback) = effect {
            stream.handle_action(filter, let_go_on(callback));
        }
    }
    effects
}

fn let_go_on(callback: Callback) -> Action {
    match callback {
        Callback::RequestHeaders { .. } | Callback::ResponseHeaders { .. } => {
            Action::Headers(HeaderAction::Continue)
        }
        Callback::RequestBody { .. } | Callback::ResponseBody { .. } => {
            Action::Data(DataAction::Continue)
        }
        Callback::RequestTrailers { .. } | Callback::ResponseTrailers { .. } => {
            Action::Trailers(TrailersAction::Continue)
        }
        Callback::StreamEnd => Action::Done,
    }
}

fn benches(criterion: &mut Criterion) {
    for (name, interest) in [
        ("uninterested", Interest::NONE),
        (
            "headers",
            Interest::REQUEST_HEADERS.union(Interest::RESPONSE_HEADERS),
        ),
        ("everything", Interest::ALL),
    ] {
        let mut group = criterion.benchmark_group(format!("stream_{name}"));
        for filters in [0, 1, 4] {
            group.bench_with_input(
                BenchmarkId::from_parameter(filters),
                &filters,
                |bench, filters| {
                    bench.iter(|| exchange(black_box(*filters), interest));
                },
            );
        }
        group.finish();
    }
}

criterion_group!(group, benches);
criterion_main!(group);

//! ABI reference 7.1, which maps and buffers can be read and written when.

use proxy_wasi_stream::{
    BodyError, Callback, Deviation, Direction, FilterIndex, Interest, MapKind, Stream,
};

use crate::chain::{
    CONTINUE_HEAD, Chain, PAUSE_BODY, PAUSE_HEAD, PAUSE_TRAILERS, answers, filter, filter_with,
    go_on, is_request_headers, local_response, passive,
};

const FIRST: FilterIndex = FilterIndex(0);
const MAPS: [MapKind; 4] = [
    MapKind::RequestHeaders,
    MapKind::RequestTrailers,
    MapKind::ResponseHeaders,
    MapKind::ResponseTrailers,
];

/// What can be done with the maps and bodies, in the order of the reference: `W` read and written, `R` only read, `-`
/// neither.
fn access(stream: &mut Stream, filter: FilterIndex) -> String {
    let mut text = String::new();
    for map in MAPS {
        let read = stream.fields(filter, map).is_ok();
        // Asking to write would make trailers, so ask only for what is there.
        let write = read && stream.fields_mut(filter, map).is_ok();
        text.push(if write {
            'W'
        } else if read {
            'R'
        } else {
            '-'
        });
    }
    for direction in [Direction::Request, Direction::Response] {
        let write = stream.body_splice(filter, direction, 0, 0, b"").is_ok();
        assert_eq!(stream.body_size(filter, direction).is_ok(), write);
        assert_eq!(stream.body_read(filter, direction, 0, 9).is_ok(), write);
        text.push(if write { 'W' } else { '-' });
    }
    text
}

/// A passive filter that checks what it can access in each callback.
fn observer(
    expected: fn(Callback) -> &'static str,
) -> (proxy_wasi_stream::Filter, crate::chain::Script) {
    filter(move |stream, index, callback| {
        assert_eq!(access(stream, index), expected(callback), "{callback:?}");
        go_on(callback)
    })
}

#[test]
fn while_everything_is_continued() {
    let mut chain = Chain::new(vec![observer(|callback| match callback {
        Callback::RequestHeaders { .. } => "W-----",
        Callback::RequestBody { .. } => "R---W-",
        Callback::RequestTrailers { .. } => "RW----",
        Callback::ResponseHeaders { .. } => "RRW---",
        Callback::ResponseBody { .. } => "RRR--W",
        Callback::ResponseTrailers { .. } => "RRRW--",
        Callback::StreamEnd => "RRRR--",
    })]);
    assert_eq!(access(&mut chain.stream, FIRST), "------");
    chain.post();
    chain.data("A");
    chain.trailers();
    chain.response(false);
    chain.response_data("A");
    chain.response_trailers();
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
fn while_something_is_held() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD])]);
    chain.post();
    chain.data("A");
    assert_eq!(
        access(&mut chain.stream, FIRST),
        "W-----",
        "a body that was never shown is not to be seen"
    );

    let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, PAUSE_BODY, PAUSE_TRAILERS])]);
    chain.post();
    chain.data("A");
    assert_eq!(access(&mut chain.stream, FIRST), "R---W-");
    chain.trailers();
    assert_eq!(access(&mut chain.stream, FIRST), "RW--W-");
    chain.resume(0, Direction::Request);
    assert_eq!(access(&mut chain.stream, FIRST), "RR----");
}

#[test]
fn in_another_filters_callbacks_a_filter_can_do_what_it_could_outside() {
    let mut chain = Chain::new(vec![
        passive(),
        filter(|stream, index, callback| {
            if is_request_headers(callback) {
                assert_eq!(access(stream, index), "W-----");
                assert_eq!(access(stream, FIRST), "R-----");
                assert_eq!(access(stream, FilterIndex(2)), "------");
            }
            go_on(callback)
        }),
        passive(),
    ]);
    chain.get();
}

#[test]
fn a_filter_that_does_not_exist_can_do_nothing() {
    for filter in [FilterIndex(1), FilterIndex(usize::MAX)] {
        let mut chain = Chain::new(vec![passive()]);
        chain.post();
        chain.data("A");
        chain.trailers();
        chain.response(false);
        assert_eq!(access(&mut chain.stream, filter), "------");
        chain.stream.narrow_interest(filter, Interest::NONE);
        chain.stream.resume(filter, Direction::Request);
        chain.stream.resume(filter, Direction::Response);
        chain
            .stream
            .handle_filter_failed(filter, proxy_wasi_stream::OnFailure::Closed);
        assert_eq!(chain.last_response_data("A").last().unwrap(), "< `A` end");
    }
}

#[test]
fn after_a_local_response_the_request_can_be_read_but_not_written() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        match callback {
            Callback::RequestHeaders { .. } => {
                stream.send_local_response(index, local_response(403, "no"))
            }
            Callback::ResponseHeaders { .. } => assert_eq!(access(stream, index), "R-W---"),
            Callback::StreamEnd => assert_eq!(access(stream, index), "R-R---"),
            _ => {}
        }
        go_on(callback)
    })]);
    chain.post();
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
fn at_the_end_everything_that_ever_was_can_be_read() {
    // The second filter never saw any of it.
    let held = answers([PAUSE_HEAD]);
    let mut chain = Chain::new(vec![held, observer(|_| "RR----")]);
    chain.post();
    chain.data("A");
    chain.trailers();
    assert_eq!(chain.end(), ["0 stream end", "1 stream end"]);
}

#[test]
fn no_copy_is_kept_for_filters_that_want_nothing_more() {
    let headers_only = filter_with(Interest::REQUEST_HEADERS, |_, _, callback| go_on(callback));
    let mut chain = Chain::new(vec![headers_only]);
    chain.get();
    assert_eq!(access(&mut chain.stream, FIRST), "------");
    chain.response(true);
    assert!(chain.stream.peek_response_head().is_none());
}

#[test]
fn reading_what_envoy_would_not_show_is_reported_once_per_reading() {
    let mut chain = Chain::new(vec![passive(), passive()]);
    chain.get();
    assert_eq!(chain.stream.take_deviation(), None);
    chain.stream.request_head(FilterIndex(1)).unwrap();
    chain.stream.request_head(FilterIndex(1)).unwrap();
    assert_eq!(
        chain.stream.take_deviation(),
        Some((FilterIndex(1), Deviation::HeadersStayReadable))
    );
    assert_eq!(chain.stream.take_deviation(), None);
    chain.stream.peek_request_head().unwrap();
    chain.end();
    chain.stream.request_head(FilterIndex(1)).unwrap();
    assert_eq!(
        chain.stream.take_deviation(),
        None,
        "Envoy shows it in its log callback too"
    );
}

#[test]
fn a_resume_of_nothing_is_reported() {
    let mut chain = Chain::new(vec![passive()]);
    chain.resume(0, Direction::Response);
    assert_eq!(
        chain.stream.take_deviation(),
        Some((FIRST, Deviation::ResumeWithoutPause))
    );
}

#[test]
fn body_ranges() {
    let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, PAUSE_BODY, PAUSE_BODY])]);
    chain.post();
    chain.data("abc");
    chain.data("def");
    let stream = &mut chain.stream;
    let read = |start, count| {
        stream
            .body_read(FIRST, Direction::Request, start, count)
            .unwrap()
    };
    assert_eq!(read(0, usize::MAX), b"abcdef");
    assert_eq!(read(2, 2), b"cd");
    assert_eq!(read(5, 9), b"f");
    assert_eq!(read(6, 1), b"");
    assert_eq!(read(usize::MAX, usize::MAX), b"");
    assert_eq!(
        stream.body_splice(FIRST, Direction::Request, 7, 0, b"x"),
        Err(BodyError::OutOfRange)
    );
    stream
        .body_splice(FIRST, Direction::Request, 6, 0, b"!")
        .unwrap();
    stream
        .body_splice(FIRST, Direction::Request, 0, 0, b"<")
        .unwrap();
    stream
        .body_splice(FIRST, Direction::Request, 3, 2, b"-")
        .unwrap();
    stream
        .body_splice(FIRST, Direction::Request, 5, usize::MAX, b"")
        .unwrap();
    assert_eq!(
        stream.body_read(FIRST, Direction::Request, 0, 99).unwrap(),
        b"<ab-e"
    );
}

//! What lets a driver leave the machine aside, and what must not be copied.

use bytes::Bytes;
use proxy_wasi_stream::{
    Callback, Direction, Effect, Filter, FilterIndex, Interest, Limits, Stream,
};

use crate::chain::{
    CONTINUE_HEAD, Chain, PAUSE_BODY, answers, filter, filter_with, go_on, passive, pause, request,
};

#[test]
fn a_body_past_filters_without_interest_is_not_copied() {
    let filter = Filter {
        interest: Interest::REQUEST_HEADERS | Interest::STREAM_END,
        ..Filter::default()
    };
    for filters in [vec![], vec![filter, filter, filter]] {
        let mut stream = Stream::new(filters, Limits::default());
        let data = Bytes::from(vec![7; 64]);
        let address = data.as_ptr();
        stream.handle_request_head(request("POST"), false);
        stream.handle_request_data(data, true);
        let sent = loop {
            match stream.poll_effect() {
                Some(Effect::Callback(filter, _)) => stream.handle_action(filter, CONTINUE_HEAD),
                Some(Effect::RequestData(bytes, end)) => break (bytes, end),
                Some(_) => {}
                None => panic!("the body did not come out"),
            }
        };
        assert_eq!((sent.0.as_ptr(), sent.0.len(), sent.1), (address, 64, true));
    }
}

#[test]
fn a_head_that_nobody_reads_any_more_is_moved() {
    let filter = Filter {
        interest: Interest::REQUEST_HEADERS,
        ..Filter::default()
    };
    let mut stream = Stream::new([filter], Limits::default());
    let head = request("GET");
    let address = std::ptr::from_ref(head.authority().unwrap());
    stream.handle_request_head(head, true);
    assert!(matches!(stream.poll_effect(), Some(Effect::Callback(..))));
    stream.handle_action(FilterIndex(0), CONTINUE_HEAD);
    let Some(Effect::RequestHead { head, .. }) = stream.poll_effect() else {
        panic!("no head")
    };
    assert_eq!(std::ptr::from_ref(head.authority().unwrap()), address);
}

#[test]
fn the_chains_interest_is_that_of_all_its_filters() {
    let mut chain = Chain::new(vec![
        filter_with(Interest::REQUEST_HEADERS, |_, _, callback| go_on(callback)),
        filter_with(Interest::STREAM_END, |_, _, callback| go_on(callback)),
    ]);
    assert_eq!(
        chain.stream.interest(),
        Interest::REQUEST_HEADERS | Interest::STREAM_END
    );
    chain
        .stream
        .narrow_interest(FilterIndex(0), Interest::RESPONSE);
    assert_eq!(chain.stream.interest(), Interest::STREAM_END);
    assert!(Chain::new(vec![]).stream.interest().is_empty());
}

#[test]
fn transparent_once_the_head_has_gone_and_no_filter_looks() {
    let interest = Interest::REQUEST_HEADERS | Interest::STREAM_END;
    let mut chain = Chain::new(vec![filter_with(interest, |_, _, callback| {
        go_on(callback)
    })]);
    assert!(!chain.stream.is_transparent(Direction::Request));
    chain.post();
    assert!(chain.stream.is_transparent(Direction::Request));
    assert!(!chain.stream.is_transparent(Direction::Response));
    chain.response(false);
    assert!(chain.stream.is_transparent(Direction::Response));
    chain.end();
    assert!(!chain.stream.is_transparent(Direction::Response));
}

#[test]
fn not_transparent_while_a_filter_looks_or_holds() {
    let mut chain = Chain::new(vec![passive()]);
    chain.post();
    assert!(!chain.stream.is_transparent(Direction::Request));
    chain
        .stream
        .narrow_interest(FilterIndex(0), Interest::RESPONSE);
    assert!(chain.stream.is_transparent(Direction::Request));

    let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, PAUSE_BODY])]);
    chain.post();
    chain.data("A");
    chain.stream.narrow_interest(FilterIndex(0), Interest::NONE);
    assert!(!chain.stream.is_transparent(Direction::Request));
    chain.resume(0, Direction::Request);
    assert!(chain.stream.is_transparent(Direction::Request));
}

#[test]
fn not_transparent_while_a_broken_promise_is_to_be_noticed() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if let Callback::RequestBody { .. } = callback {
            stream
                .body_splice(index, Direction::Request, 0, 0, b"!")
                .unwrap();
            stream.narrow_interest(index, Interest::NONE);
        }
        go_on(callback)
    })]);
    let mut head = request("POST");
    head.headers.insert(
        http::header::CONTENT_LENGTH,
        http::HeaderValue::from_static("2"),
    );
    chain.tell(|stream| stream.handle_request_head(head, false));
    assert_eq!(chain.data("a").last().unwrap(), "> `!a`");
    assert!(!chain.stream.is_transparent(Direction::Request));
    assert!(chain.last_data("b")[0].starts_with("reset"));
}

#[test]
fn a_stream_stays_small() {
    // A driver keeps one for every exchange in flight.
    assert!(size_of::<Stream>() <= 1280, "{}", size_of::<Stream>());
}

#[test]
fn pausing_again_does_not_make_the_body_opaque_forever() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| match callback {
        Callback::RequestBody {
            end_of_stream: false,
            ..
        } => {
            stream.resume(index, Direction::Request);
            pause(callback)
        }
        _ => go_on(callback),
    })]);
    chain.post();
    chain.data("A");
    chain.stream.narrow_interest(FilterIndex(0), Interest::NONE);
    assert!(chain.stream.is_transparent(Direction::Request));
}

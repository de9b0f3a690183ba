//! ABI reference 6.1, 6.2 and 7.1, trailers.

use http::HeaderValue;
use proxy_wasi_stream::{Callback, Direction, FilterIndex, Interest, MapKind};

use crate::chain::{
    CONTINUE_BODY, CONTINUE_HEAD, Chain, PAUSE_BODY, PAUSE_TRAILERS, answers, filter, filter_with,
    go_on, passive, pause,
};

#[test]
fn a_message_with_trailers_never_ends_in_a_body_callback() {
    let mut chain = Chain::new(vec![passive()]);
    chain.post();
    assert_eq!(chain.data("A"), ["0 request body 1 `A`", "> `A`"]);
    assert_eq!(chain.trailers(), ["0 request trailers 1", "> trailers t=1"]);
}

#[test]
fn continue_releases_the_held_body_first() {
    let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, PAUSE_BODY]), passive()]);
    chain.post();
    chain.data("A");
    let expected = [
        "0 request trailers 1",
        "1 request body 1 `A`",
        "> `A`",
        "1 request trailers 1",
        "> trailers t=1",
    ];
    assert_eq!(chain.trailers(), expected);
}

#[test]
fn pause_holds_the_trailers_and_what_was_held_before() {
    let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, PAUSE_BODY, PAUSE_TRAILERS])]);
    chain.post();
    chain.data("A");
    assert_eq!(chain.trailers(), ["0 request trailers 1"]);
    // Writable while held, as are the bytes held by a pause of the body.
    let trailers = chain
        .stream
        .fields_mut(FilterIndex(0), MapKind::RequestTrailers)
        .unwrap();
    trailers.insert("t", HeaderValue::from_static("2"));
    chain
        .stream
        .body_splice(FilterIndex(0), Direction::Request, 0, 0, b"-")
        .unwrap();
    assert_eq!(
        chain.resume(0, Direction::Request),
        ["> `-A`", "> trailers t=2"]
    );
}

#[test]
fn pause_after_a_body_that_went_on_holds_the_trailers_alone() {
    let mut chain = Chain::new(vec![answers([
        CONTINUE_HEAD,
        CONTINUE_BODY,
        PAUSE_TRAILERS,
    ])]);
    chain.post();
    assert_eq!(chain.data("A"), ["0 request body 1 `A`", "> `A`"]);
    assert_eq!(chain.trailers(), ["0 request trailers 1"]);
    assert_eq!(chain.resume(0, Direction::Request), ["> trailers t=1"]);
}

fn make_trailers() -> (proxy_wasi_stream::Filter, crate::chain::Script) {
    filter(|stream, index, callback| {
        if matches!(
            callback,
            Callback::RequestBody {
                end_of_stream: true,
                ..
            }
        ) {
            assert!(
                stream.fields(index, MapKind::RequestTrailers).is_err(),
                "made by the first write only"
            );
            let trailers = stream.fields_mut(index, MapKind::RequestTrailers).unwrap();
            trailers.insert("made", HeaderValue::from_static("yes"));
            assert!(stream.fields(index, MapKind::RequestTrailers).is_ok());
        }
        go_on(callback)
    })
}

#[test]
fn trailers_made_in_the_last_body_callback_take_the_end_with_them() {
    let mut chain = Chain::new(vec![make_trailers(), passive()]);
    chain.post();
    let expected = [
        "0 request body 1 `A` end",
        "1 request body 1 `A`",
        "> `A`",
        "1 request trailers 1",
        "> trailers made=yes",
    ];
    assert_eq!(chain.last_data("A"), expected);
}

#[test]
fn trailers_made_while_pausing_wait_with_the_body() {
    let (settings, mut script) = make_trailers();
    let pausing = filter_with(settings.interest, move |stream, index, callback| {
        script(stream, index, callback);
        if matches!(callback, Callback::RequestBody { .. }) {
            pause(callback)
        } else {
            go_on(callback)
        }
    });
    let mut chain = Chain::new(vec![pausing]);
    chain.post();
    assert_eq!(chain.last_data("A"), ["0 request body 1 `A` end"]);
    let held = chain
        .stream
        .fields_mut(FilterIndex(0), MapKind::RequestTrailers)
        .unwrap();
    held.insert("later", HeaderValue::from_static("too"));
    assert_eq!(
        chain.resume(0, Direction::Request),
        ["> `A`", "> trailers made=yes later=too"]
    );
}

#[test]
fn trailers_left_empty_are_none() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if matches!(
            callback,
            Callback::ResponseBody {
                end_of_stream: true,
                ..
            }
        ) {
            stream
                .fields_mut(index, MapKind::ResponseTrailers)
                .unwrap()
                .remove("nothing");
        }
        go_on(callback)
    })]);
    chain.get();
    chain.response(false);
    assert_eq!(
        chain.last_response_data("A"),
        ["0 response body 1 `A` end", "< `A` end"]
    );
    assert!(
        chain
            .stream
            .fields(FilterIndex(0), MapKind::ResponseTrailers)
            .is_err()
    );
}

#[test]
fn trailers_cannot_be_made_elsewhere() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        let last = matches!(
            callback,
            Callback::RequestBody {
                end_of_stream: true,
                ..
            }
        );
        assert_eq!(
            stream.fields_mut(index, MapKind::RequestTrailers).is_ok(),
            last,
            "{callback:?}"
        );
        assert!(stream.fields_mut(index, MapKind::ResponseTrailers).is_err());
        go_on(callback)
    })]);
    chain.post();
    chain.data("A");
    chain.last_data("B");
    assert!(
        chain
            .stream
            .fields_mut(FilterIndex(0), MapKind::RequestTrailers)
            .is_err()
    );
}

#[test]
fn trailers_pass_a_filter_without_interest_in_them() {
    let interest = Interest::REQUEST_BODY;
    let mut chain = Chain::new(vec![
        filter_with(interest, |_, _, callback| go_on(callback)),
        passive(),
    ]);
    chain.post();
    chain.data("A");
    assert_eq!(chain.trailers(), ["1 request trailers 1", "> trailers t=1"]);
}

#[test]
fn response_trailers_go_in_reverse() {
    let mut chain = Chain::new(vec![passive(), passive()]);
    chain.get();
    chain.response(false);
    assert_eq!(
        chain.response_trailers(),
        [
            "1 response trailers 1",
            "0 response trailers 1",
            "< trailers t=1"
        ]
    );
}

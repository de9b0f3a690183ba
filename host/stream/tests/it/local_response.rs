//! ABI reference 4.8 and 6.4, local responses.

use http::header::HeaderValue;
use proxy_wasi_stream::{Callback, Direction, FilterIndex, Interest, MapKind};

use crate::chain::{
    CONTINUE_HEAD, Chain, PAUSE_BODY, PAUSE_HEAD, Script, answers, filter, filter_with, go_on,
    is_request_headers, is_response_headers, local_response, passive, pause, response,
};

/// A filter that answers with 403 in the callbacks that `when` names, and returns "continue" from it.
fn denies(when: fn(Callback) -> bool) -> (proxy_wasi_stream::Filter, Script) {
    filter(move |stream, index, callback| {
        if when(callback) {
            stream.send_local_response(index, local_response(403, "no"));
        }
        go_on(callback)
    })
}

fn is_request_body(callback: Callback) -> bool {
    matches!(callback, Callback::RequestBody { .. })
}

fn is_request_trailers(callback: Callback) -> bool {
    matches!(callback, Callback::RequestTrailers { .. })
}

fn is_response_body(callback: Callback) -> bool {
    matches!(callback, Callback::ResponseBody { .. })
}

#[test]
fn a_from_request_headers_the_upstream_is_never_asked_and_the_filter_sees_its_own_response() {
    let mut chain = Chain::new(vec![passive(), denies(is_request_headers)]);
    let expected = [
        "0 request headers 0",
        "1 request headers 0",
        "abandon upstream",
        "1 response headers 2",
        "0 response headers 2",
        "< 403 content-length=2 content-type=text/plain",
        "1 response body 2 `no` end",
        "0 response body 2 `no` end",
        "< `no` end",
    ];
    assert_eq!(chain.post(), expected);
    assert!(
        chain.data("A").is_empty(),
        "the request is not shown any more"
    );
    assert!(chain.trailers().is_empty());
    assert_eq!(chain.end(), ["0 stream end", "1 stream end"]);
}

#[test]
fn a_from_request_body_and_trailers() {
    let response = [
        "abandon upstream",
        "0 response headers 2",
        "< 403 content-length=2 content-type=text/plain",
        "0 response body 2 `no` end",
        "< `no` end",
    ];
    let mut chain = Chain::new(vec![denies(is_request_body)]);
    chain.post();
    let log = chain.data("A");
    assert_eq!(log[0], "0 request body 1 `A`");
    assert_eq!(log[1..], response);

    let mut chain = Chain::new(vec![denies(is_request_trailers)]);
    chain.post();
    chain.data("A");
    let log = chain.trailers();
    assert_eq!(log[0], "0 request trailers 1");
    assert_eq!(log[1..], response);
}

#[test]
fn a_outside_a_callback_while_the_request_is_held() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD])]);
    chain.post();
    chain.data("A");
    let log =
        chain.tell(|stream| stream.send_local_response(FilterIndex(0), local_response(200, "")));
    assert_eq!(
        log,
        ["abandon upstream", "0 response headers 0 end", "< 200 end"]
    );
}

#[test]
fn a_filters_that_the_request_has_not_reached_do_not_see_the_response() {
    let mut chain = Chain::new(vec![passive(), denies(is_request_headers), passive()]);
    let log = chain.get();
    assert!(log.iter().all(|line| !line.starts_with('2')), "{log:?}");
    assert_eq!(
        chain.end(),
        ["0 stream end", "1 stream end", "2 stream end"]
    );
}

#[test]
fn a_a_filter_without_interest_in_the_request_sees_the_response_if_the_request_passed_it() {
    let interest = Interest::RESPONSE_HEADERS;
    let mut chain = Chain::new(vec![
        filter_with(interest, |_, _, callback| go_on(callback)),
        denies(is_request_headers),
    ]);
    assert!(chain.get().contains(&"0 response headers 2".to_owned()));
}

#[test]
fn a_the_response_can_be_paused_and_edited_like_any_other() {
    let mut chain = Chain::new(vec![
        filter(|stream, index, callback| {
            if is_response_headers(callback) {
                let fields = stream.fields_mut(index, MapKind::ResponseHeaders).unwrap();
                fields.insert("x-seen", HeaderValue::from_static("1"));
                return pause(callback);
            }
            go_on(callback)
        }),
        denies(is_request_headers),
    ]);
    let log = chain.get();
    assert_eq!(
        log[3..],
        [
            "1 response headers 2",
            "0 response headers 2",
            "1 response body 2 `no` end"
        ]
    );
    let expected = [
        "< 403 content-length=2 content-type=text/plain x-seen=1",
        "0 response body 2 `no` end",
        "< `no` end",
    ];
    assert_eq!(chain.resume(0, Direction::Response), expected);
}

#[test]
fn b_from_response_headers_it_replaces_the_response_and_no_filter_sees_it() {
    let mut chain = Chain::new(vec![passive(), denies(is_response_headers)]);
    chain.get();
    let expected = [
        "1 response headers 0",
        "abandon upstream",
        "< 403 content-length=2 content-type=text/plain",
        "< `no` end",
    ];
    assert_eq!(chain.response(false), expected);
    assert!(chain.last_response_data("from upstream").is_empty());
    assert_eq!(chain.end(), ["0 stream end", "1 stream end"]);
}

#[test]
fn b_from_a_body_callback_while_the_head_is_held() {
    let mut chain = Chain::new(vec![
        answers([CONTINUE_HEAD, PAUSE_HEAD]),
        denies(is_response_body),
    ]);
    chain.get();
    chain.response(false);
    let log = chain.response_data("A");
    let expected = [
        "1 response body 1 `A`",
        "abandon upstream",
        "< 403 content-length=2 content-type=text/plain",
        "< `no` end",
    ];
    assert_eq!(log, expected);
    assert!(
        chain.resume(0, Direction::Response).is_empty(),
        "what was held is gone"
    );
}

#[test]
fn b_from_the_request_path_when_a_response_is_held() {
    let mut chain = Chain::new(vec![
        denies(is_request_body),
        answers([CONTINUE_HEAD, PAUSE_HEAD]),
    ]);
    chain.post();
    chain.response(false);
    let expected = [
        "0 request body 1 `A`",
        "abandon upstream",
        "< 403 content-length=2 content-type=text/plain",
        "< `no` end",
    ];
    assert_eq!(chain.data("A"), expected);
}

#[test]
fn c_once_the_head_has_gone_the_stream_is_reset() {
    let mut chain = Chain::new(vec![denies(is_response_body)]);
    chain.get();
    chain.response(false);
    let log = chain.response_data("A");
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(
        log[1].starts_with("reset: local response `403 Forbidden` of filter 0 came after"),
        "{log:?}"
    );
    assert!(chain.last_response_data("B").is_empty());
    assert!(
        chain
            .tell(|stream| stream.send_local_response(FilterIndex(0), local_response(500, "")))
            .is_empty()
    );
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
fn after_the_whole_response_nothing_happens() {
    let mut chain = Chain::new(vec![passive()]);
    chain.post();
    chain.response(true);
    assert!(
        chain
            .tell(|stream| stream.send_local_response(FilterIndex(0), local_response(403, "")))
            .is_empty()
    );
    assert_eq!(chain.stream.response_details(), None);
}

#[test]
fn at_the_end_nothing_happens() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if callback == Callback::StreamEnd {
            stream.send_local_response(index, local_response(403, ""));
            stream.reset(index);
        }
        go_on(callback)
    })]);
    chain.get();
    assert_eq!(chain.end(), ["0 stream end"]);
    assert!(chain.tell(|_| ()).is_empty());
}

#[test]
fn the_callbacks_result_is_overridden_and_the_first_response_wins() {
    for pausing in [false, true] {
        let mut chain = Chain::new(vec![
            filter(move |stream, index, callback| {
                if is_request_headers(callback) {
                    stream.resume(index, Direction::Request);
                    stream.send_local_response(index, local_response(401, ""));
                    stream.send_local_response(index, local_response(402, ""));
                    stream.reset(index);
                    stream.resume(index, Direction::Request);
                }
                if pausing {
                    pause(callback)
                } else {
                    go_on(callback)
                }
            }),
            passive(),
        ]);
        let log = chain.get();
        assert_eq!(
            log[..3],
            [
                "0 request headers 0 end",
                "abandon upstream",
                "0 response headers 0 end"
            ]
        );
        assert_eq!(
            log.get(3).map(String::as_str),
            (!pausing).then_some("< 401 end")
        );
    }
}

#[test]
fn a_resume_beside_a_local_response_does_not_outlive_it() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if is_request_headers(callback) {
            stream.resume(index, Direction::Response);
            stream.send_local_response(index, local_response(401, ""));
        } else {
            stream.resume(index, Direction::Request);
        }
        pause(callback)
    })]);
    assert_eq!(chain.get().last().unwrap(), "0 response headers 0 end");
    assert_eq!(chain.resume(0, Direction::Response), ["< 401 end"]);
}

#[test]
fn a_filter_may_replace_the_local_response_of_another() {
    let mut chain = Chain::new(vec![
        filter(|stream, index, callback| {
            if is_response_headers(callback) {
                stream.send_local_response(index, local_response(500, ""));
            }
            go_on(callback)
        }),
        denies(is_request_headers),
    ]);
    let log = chain.get();
    assert_eq!(log.last().unwrap(), "< 500 end");
    assert_eq!(
        log.iter()
            .filter(|line| *line == "abandon upstream")
            .count(),
        1
    );
}

#[test]
fn what_the_upstream_still_sends_is_ignored() {
    let mut chain = Chain::new(vec![filter(|_, _, callback| {
        if is_response_headers(callback) {
            pause(callback)
        } else {
            go_on(callback)
        }
    })]);
    chain.post();
    chain.tell(|stream| stream.handle_local_response(local_response(504, "late")));
    assert!(chain.response(false).is_empty());
    assert!(chain.last_response_data("from upstream").is_empty());
    assert!(
        chain
            .tell(|stream| stream.handle_upstream_reset())
            .is_empty()
    );
    let log = chain.resume(0, Direction::Response);
    assert_eq!(log[0], "< 504 content-length=4 content-type=text/plain");
    assert_eq!(log.last().unwrap(), "< `late` end");
}

#[test]
fn a_held_body_does_not_come_back() {
    let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, PAUSE_BODY]), passive()]);
    chain.post();
    chain.data("held");
    let log =
        chain.tell(|stream| stream.send_local_response(FilterIndex(1), local_response(403, "")));
    assert_eq!(log.last().unwrap(), "< 403 end");
    assert!(chain.resume(0, Direction::Request).is_empty());
    assert_eq!(
        chain
            .stream
            .body_size(FilterIndex(0), Direction::Request)
            .ok(),
        None
    );
}

#[test]
fn a_filter_may_reset_the_stream() {
    let mut chain = Chain::new(vec![passive()]);
    chain.get();
    assert_eq!(
        chain.tell(|stream| stream.reset(FilterIndex(0))),
        ["reset: filter 0 reset the stream"]
    );
    assert_eq!(chain.stream.response_details(), Some("wasm_close_stream"));
    assert!(
        chain
            .tell(|stream| stream.handle_response_head(response(200, &[]), true))
            .is_empty()
    );
    assert_eq!(chain.end(), ["0 stream end"]);
}

//! ABI reference 6.3, what a filter may hold.

use bytes::Bytes;
use proxy_wasi_stream::{
    Action, BodyError, Callback, Direction, Effect, FilterIndex, HeaderAction, Interest, Limits,
};

use crate::chain::{
    CONTINUE_HEAD, Chain, PAUSE_BODY, PAUSE_HEAD, PAUSE_WATERMARK, answers, filter, filter_with,
    go_on, is_response_headers, passive, pause, stop_iteration,
};

const LIMITS: Limits = Limits {
    request_body_bytes: 4,
    response_body_bytes: 4,
};
const FIRST: FilterIndex = FilterIndex(0);

#[test]
fn a_buffered_request_over_the_limit_is_answered_with_413_without_the_callback() {
    let mut chain = Chain::with_limits(vec![answers([CONTINUE_HEAD, PAUSE_BODY])], LIMITS);
    chain.post();
    assert_eq!(
        chain.data("1234"),
        ["0 request body 4 `1234`"],
        "the limit itself is fine"
    );
    let expected = [
        "abandon upstream",
        "0 response headers 2",
        "< 413 content-length=17 content-type=text/plain",
        "0 response body 17 `Payload Too Large` end",
        "< `Payload Too Large` end",
    ];
    assert_eq!(chain.data("5"), expected);
    assert_eq!(
        chain.stream.response_details(),
        Some("request_payload_too_large")
    );
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
fn a_single_piece_over_the_limit_is_refused_when_it_is_to_be_held() {
    let mut chain = Chain::with_limits(vec![answers([CONTINUE_HEAD, PAUSE_BODY])], LIMITS);
    chain.post();
    let log = chain.data("12345");
    assert_eq!(log[..2], ["0 request body 5 `12345`", "abandon upstream"]);
}

#[test]
fn pause_all_and_buffer_is_limited_too() {
    let all = Action::Headers(HeaderAction::PauseAllAndBuffer);
    let mut chain = Chain::with_limits(vec![answers([all])], LIMITS);
    chain.post();
    assert!(chain.data("1234").is_empty());
    assert_eq!(chain.data("5")[0], "abandon upstream");
}

#[test]
fn a_body_that_is_not_held_is_not_limited() {
    let mut chain = Chain::with_limits(vec![passive()], LIMITS);
    chain.post();
    assert_eq!(
        chain.data("1234567"),
        ["0 request body 7 `1234567`", "> `1234567`"]
    );
}

#[test]
fn a_buffered_response_over_the_limit_is_500_while_its_head_is_held() {
    let mut chain = Chain::with_limits(
        vec![stop_iteration(filter(|_, _, callback| match callback {
            Callback::ResponseHeaders { .. } | Callback::ResponseBody { .. } => pause(callback),
            _ => go_on(callback),
        }))],
        LIMITS,
    );
    chain.get();
    chain.response(false);
    chain.response_data("1234");
    let expected = [
        "abandon upstream",
        "< 500 content-length=21 content-type=text/plain",
        "< `Internal Server Error` end",
    ];
    assert_eq!(chain.response_data("5"), expected);
    assert_eq!(
        chain.stream.response_details(),
        Some("response_payload_too_large")
    );
}

#[test]
fn a_buffered_response_over_the_limit_is_reset_once_its_head_has_gone() {
    let mut chain = Chain::with_limits(
        vec![answers([CONTINUE_HEAD, CONTINUE_HEAD, PAUSE_BODY])],
        LIMITS,
    );
    chain.get();
    chain.response(false);
    chain.response_data("1234");
    let log = chain.response_data("5");
    assert_eq!(log.len(), 1);
    assert!(
        log[0].starts_with("reset: filter 0 holds more than 4 bytes of the response body"),
        "{log:?}"
    );
}

#[test]
fn back_pressure_begins_at_the_limit_and_nothing_is_lost() {
    let mut chain = Chain::with_limits(vec![answers([PAUSE_HEAD])], LIMITS);
    chain.post();
    assert!(chain.stream.wants_data(Direction::Request));
    chain.data("123");
    assert!(chain.stream.wants_data(Direction::Request));
    chain.data("4");
    assert!(!chain.stream.wants_data(Direction::Request));
    assert!(chain.stream.wants_data(Direction::Response));
    chain.last_data("5678");
    let log = chain.resume(0, Direction::Request);
    assert_eq!(log[..2], ["> POST", "0 request body 8 `12345678` end"]);
    assert_eq!(crate::chain::sent(&log, '>'), "12345678");
    assert!(chain.stream.wants_data(Direction::Request));
}

#[test]
fn back_pressure_of_a_watermark_pause() {
    let mut chain = Chain::with_limits(
        vec![answers([CONTINUE_HEAD, PAUSE_WATERMARK, PAUSE_WATERMARK])],
        LIMITS,
    );
    chain.post();
    chain.data("12345");
    assert!(!chain.stream.wants_data(Direction::Request));
    chain.data("6");
    let log = chain.resume(0, Direction::Request);
    assert_eq!(crate::chain::sent(&log, '>'), "123456");
}

#[test]
fn buffering_asks_for_more_even_at_the_limit() {
    let mut chain = Chain::with_limits(vec![answers([CONTINUE_HEAD, PAUSE_BODY])], LIMITS);
    chain.post();
    chain.data("1234");
    assert!(chain.stream.wants_data(Direction::Request));
}

#[test]
fn a_limit_of_nothing_still_shows_the_first_piece() {
    let limits = Limits {
        request_body_bytes: 0,
        response_body_bytes: 0,
    };
    let mut chain = Chain::with_limits(vec![stop_iteration(answers([PAUSE_HEAD]))], limits);
    chain.post();
    assert!(chain.stream.wants_data(Direction::Request));
    assert_eq!(chain.data("1"), ["0 request body 1 `1`", "> POST", "> `1`"]);
}

#[test]
fn an_edit_may_not_grow_a_body_over_the_limit() {
    let mut chain = Chain::with_limits(
        vec![filter(|stream, index, callback| {
            if let Callback::RequestBody { .. } = callback {
                let mut splice = |start, count, data| {
                    stream.body_splice(index, Direction::Request, start, count, data)
                };
                assert_eq!(splice(0, 0, b"45"), Err(BodyError::TooLarge));
                assert_eq!(splice(4, 0, b""), Err(BodyError::OutOfRange));
                assert_eq!(splice(3, 9, b"4"), Ok(()));
            }
            go_on(callback)
        })],
        LIMITS,
    );
    chain.post();
    assert_eq!(crate::chain::sent(&chain.data("123"), '>'), "1234");
}

#[test]
fn an_edit_may_shrink_a_body_that_is_over_the_limit() {
    let mut chain = Chain::with_limits(
        vec![filter(|stream, index, callback| {
            if let Callback::RequestBody { .. } = callback {
                assert_eq!(
                    stream.body_splice(index, Direction::Request, 0, 2, b"x"),
                    Ok(())
                );
                assert_eq!(
                    stream.body_splice(index, Direction::Request, 0, 1, b"ab"),
                    Err(BodyError::TooLarge)
                );
            }
            go_on(callback)
        })],
        LIMITS,
    );
    chain.post();
    assert_eq!(crate::chain::sent(&chain.data("1234567"), '>'), "x34567");
}

#[test]
fn a_filter_that_gave_up_its_callbacks_is_limited_like_any_other() {
    let mut chain = Chain::with_limits(
        vec![filter(|stream, index, callback| match callback {
            Callback::RequestBody { .. } => {
                stream.narrow_interest(index, Interest::NONE);
                pause(callback)
            }
            _ => go_on(callback),
        })],
        LIMITS,
    );
    chain.post();
    chain.data("1234");
    assert_eq!(chain.data("5")[0], "abandon upstream");
}

#[test]
fn a_body_arriving_byte_by_byte_is_held_without_a_piece_per_byte() {
    let interest = Interest::RESPONSE_HEADERS;
    let pausing = filter_with(interest, |_, _, callback| {
        if is_response_headers(callback) {
            pause(callback)
        } else {
            go_on(callback)
        }
    });
    let mut chain = Chain::new(vec![pausing]);
    chain.get();
    chain.response(false);
    for _ in 0..100_000 {
        chain.tell(|stream| stream.handle_response_data(Bytes::from_static(b"x"), false));
    }
    chain.stream.resume(FIRST, Direction::Response);
    let (mut pieces, mut bytes) = (0, 0);
    while let Some(effect) = chain.stream.poll_effect() {
        if let Effect::ResponseData(data, _) = effect {
            pieces += 1;
            bytes += data.len();
        }
    }
    assert_eq!(bytes, 100_000);
    assert!(pieces < 100, "{pieces} pieces");
}

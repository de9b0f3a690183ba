//! ABI reference 6.2, headers callbacks.

use proxy_wasi_stream::{Action, Direction, HeaderAction};

use crate::chain::{
    CONTINUE_HEAD, Chain, PAUSE_BODY, PAUSE_HEAD, answers, filter, go_on, is_request_headers,
    passive, pause, stop_iteration,
};

#[test]
fn continue_goes_through_the_chain_in_order_and_back_in_reverse() {
    let mut chain = Chain::new(vec![passive(), passive()]);
    assert_eq!(
        chain.get(),
        [
            "0 request headers 0 end",
            "1 request headers 0 end",
            "> GET end"
        ]
    );
    assert_eq!(
        chain.response(false),
        ["1 response headers 0", "0 response headers 0", "< 200"]
    );
    assert_eq!(
        chain.last_response_data("hi"),
        [
            "1 response body 2 `hi` end",
            "0 response body 2 `hi` end",
            "< `hi` end"
        ]
    );
    assert_eq!(chain.end(), ["0 stream end", "1 stream end"]);
}

#[test]
fn continue_and_end_stream_is_continue() {
    let mut chain = Chain::new(vec![answers([Action::Headers(
        HeaderAction::ContinueAndEndStream,
    )])]);
    assert_eq!(chain.post(), ["0 request headers 0", "> POST"]);
    assert_eq!(
        chain.last_data("a"),
        ["0 request body 1 `a` end", "> `a` end"]
    );
}

#[test]
fn pause_holds_everything_and_shows_the_body_in_one_piece_once_resumed() {
    for action in [
        HeaderAction::Pause,
        HeaderAction::PauseAllAndBuffer,
        HeaderAction::PauseAllAndWatermark,
    ] {
        let mut chain = Chain::new(vec![answers([Action::Headers(action)]), passive()]);
        assert_eq!(chain.post(), ["0 request headers 0"]);
        assert!(chain.data("a").is_empty());
        assert!(chain.data("b").is_empty());
        assert!(chain.trailers().is_empty());
        let resumed = chain.resume(0, Direction::Request);
        let expected = [
            "1 request headers 0",
            "> POST",
            "0 request body 2 `ab`",
            "1 request body 2 `ab`",
            "> `ab`",
            "0 request trailers 1",
            "1 request trailers 1",
            "> trailers t=1",
        ];
        assert_eq!(resumed, expected, "{action:?}");
    }
}

#[test]
fn a_paused_head_that_is_the_whole_message_goes_on_with_its_end() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD])]);
    assert_eq!(chain.get(), ["0 request headers 0 end"]);
    assert_eq!(chain.resume(0, Direction::Request), ["> GET end"]);
}

#[test]
fn a_paused_head_keeps_the_empty_end_of_its_body() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD])]);
    chain.post();
    chain.last_data("");
    assert_eq!(
        chain.resume(0, Direction::Request),
        ["> POST", "0 request body 0 `` end", "> `` end"]
    );
}

#[test]
fn the_response_side_mirrors_the_request_side() {
    let mut chain = Chain::new(vec![passive(), answers([CONTINUE_HEAD, PAUSE_HEAD])]);
    chain.get();
    assert_eq!(chain.response(false), ["1 response headers 0"]);
    assert!(chain.response_data("a").is_empty());
    assert!(chain.last_response_data("b").is_empty());
    let expected = [
        "0 response headers 0",
        "< 200",
        "1 response body 2 `ab` end",
        "0 response body 2 `ab` end",
        "< `ab` end",
    ];
    assert_eq!(chain.resume(1, Direction::Response), expected);
}

#[test]
fn stop_iteration_keeps_body_callbacks_coming_and_continue_from_one_releases_the_head() {
    let mut chain = Chain::new(vec![
        stop_iteration(answers([PAUSE_HEAD, PAUSE_BODY])),
        passive(),
    ]);
    assert_eq!(chain.post(), ["0 request headers 0"]);
    assert_eq!(chain.data("a"), ["0 request body 1 `a`"]);
    let expected = [
        "0 request body 2 `ab`",
        "1 request headers 0",
        "> POST",
        "1 request body 2 `ab`",
        "> `ab`",
    ];
    assert_eq!(chain.data("b"), expected);
}

#[test]
fn stop_iteration_continue_from_the_trailers_callback_releases_head_and_body() {
    let mut chain = Chain::new(vec![stop_iteration(answers([PAUSE_HEAD, PAUSE_BODY]))]);
    chain.post();
    chain.data("a");
    assert_eq!(
        chain.trailers(),
        ["0 request trailers 1", "> POST", "> `a`", "> trailers t=1"]
    );
}

#[test]
fn stop_iteration_resume_releases_the_head_alone() {
    let mut chain = Chain::new(vec![stop_iteration(answers([PAUSE_HEAD]))]);
    chain.post();
    assert_eq!(chain.resume(0, Direction::Request), ["> POST"]);
    assert_eq!(
        chain.last_data("a"),
        ["0 request body 1 `a` end", "> `a` end"]
    );
}

#[test]
fn stop_iteration_does_not_change_the_other_pauses() {
    let all = answers([Action::Headers(HeaderAction::PauseAllAndWatermark)]);
    let mut chain = Chain::new(vec![stop_iteration(all)]);
    chain.post();
    assert!(chain.data("a").is_empty());
}

#[test]
fn a_resume_in_the_callback_takes_effect_after_it_and_beats_pause() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        stream.resume(index, Direction::Request);
        // Not yet: the head is still this filter's to write.
        assert!(!is_request_headers(callback) || stream.request_head_mut(index).is_ok());
        pause(callback)
    })]);
    assert_eq!(chain.post(), ["0 request headers 0", "> POST"]);
    assert_eq!(chain.data("a"), ["0 request body 1 `a`", "> `a`"]);
    assert_eq!(chain.trailers(), ["0 request trailers 1", "> trailers t=1"]);
}

#[test]
fn a_resume_of_what_is_not_paused_does_nothing() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        stream.resume(index, Direction::Request);
        stream.resume(index, Direction::Response);
        go_on(callback)
    })]);
    assert!(chain.resume(0, Direction::Request).is_empty());
    assert_eq!(chain.post(), ["0 request headers 0", "> POST"]);
    assert!(chain.resume(0, Direction::Request).is_empty());
    assert_eq!(
        chain.last_data("a"),
        ["0 request body 1 `a` end", "> `a` end"]
    );
    assert!(chain.resume(7, Direction::Response).is_empty());
}

#[test]
fn a_second_resume_does_not_undo_a_later_pause() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD, PAUSE_BODY])]);
    chain.post();
    chain.data("a");
    // Two resumes at once: the second must not release what the body callback, which comes of the first, will hold.
    let log = chain.tell(|stream| {
        stream.resume(proxy_wasi_stream::FilterIndex(0), Direction::Request);
        stream.resume(proxy_wasi_stream::FilterIndex(0), Direction::Request);
    });
    assert_eq!(log, ["> POST", "0 request body 1 `a`"]);
    assert_eq!(chain.resume(0, Direction::Request), ["> `a`"]);
}

#[test]
fn every_filter_may_pause_in_turn() {
    let mut chain = Chain::new(vec![
        answers([PAUSE_HEAD]),
        answers([PAUSE_HEAD]),
        answers([PAUSE_HEAD]),
    ]);
    assert_eq!(chain.get(), ["0 request headers 0 end"]);
    assert_eq!(
        chain.resume(0, Direction::Request),
        ["1 request headers 0 end"]
    );
    assert_eq!(
        chain.resume(1, Direction::Request),
        ["2 request headers 0 end"]
    );
    assert_eq!(chain.resume(2, Direction::Request), ["> GET end"]);
}

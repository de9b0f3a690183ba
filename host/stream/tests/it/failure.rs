//! ABI reference 5.4, failed plugins, and failed connections.

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use proxy_wasi_stream::{Callback, Direction, Effect, FilterIndex, Interest, OnFailure, Stream};

use crate::chain::{
    Chain, PAUSE_HEAD, answers, filter, filter_with, go_on, is_response_headers, local_response,
    passive, pause, request,
};

/// Polls up to the first callback and fails it.
fn fail_first(chain: &mut Chain, policy: OnFailure) -> Vec<String> {
    chain.tell(|stream| {
        stream.handle_request_head(request("POST"), false);
        stream.handle_request_data("A".into(), false);
        let Some(Effect::Callback(filter, _)) = stream.poll_effect() else {
            panic!("no callback")
        };
        stream.handle_filter_failed(filter, policy);
    })
}

#[test]
fn closed_answers_with_503_and_skips_the_failed_filter() {
    let mut chain = Chain::new(vec![passive()]);
    assert_eq!(
        fail_first(&mut chain, OnFailure::Closed),
        ["abandon upstream", "< 503 end"]
    );
    assert_eq!(chain.stream.response_details(), Some("wasm_fail_stream"));
    assert!(chain.end().is_empty());
}

#[test]
fn closed_tells_grpc_clients_unavailable() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD])]);
    let mut head = request("POST");
    head.headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    chain.tell(|stream| stream.handle_request_head(head, false));
    let log = chain.tell(|stream| stream.handle_filter_failed(FilterIndex(0), OnFailure::Closed));
    assert_eq!(
        log,
        [
            "abandon upstream",
            "< 200 content-type=application/grpc grpc-status=14 end"
        ]
    );
}

#[test]
fn closed_passes_the_response_path_of_the_other_filters() {
    let mut chain = Chain::new(vec![passive(), answers([PAUSE_HEAD])]);
    chain.post();
    let log = chain.tell(|stream| stream.handle_filter_failed(FilterIndex(1), OnFailure::Closed));
    assert_eq!(
        log,
        ["abandon upstream", "0 response headers 0 end", "< 503 end"]
    );
}

#[test]
fn closed_answers_once() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD])]);
    chain.post();
    let log = chain.tell(|stream| {
        stream.handle_filter_failed(FilterIndex(0), OnFailure::Closed);
        stream.handle_filter_failed(FilterIndex(0), OnFailure::Closed);
    });
    assert_eq!(log, ["abandon upstream", "< 503 end"]);
}

#[test]
fn closed_resets_once_the_head_has_gone() {
    let mut chain = Chain::new(vec![passive()]);
    chain.get();
    chain.response(false);
    let log = chain.tell(|stream| stream.handle_filter_failed(FilterIndex(0), OnFailure::Closed));
    assert_eq!(
        log,
        ["reset: filter 0 failed after the response's head had gone"]
    );
}

#[test]
fn closed_spares_a_stream_that_the_filter_is_done_with() {
    let interest = Interest::REQUEST_HEADERS | Interest::STREAM_END;
    let mut chain = Chain::new(vec![filter_with(interest, |_, _, callback| {
        go_on(callback)
    })]);
    chain.post();
    assert!(
        chain
            .tell(|stream| stream.handle_filter_failed(FilterIndex(0), OnFailure::Closed))
            .is_empty()
    );
    assert_eq!(chain.last_data("A"), ["> `A` end"]);
    assert_eq!(chain.response(true), ["< 200 end"]);
    assert!(chain.end().is_empty());
}

#[test]
fn closed_fails_a_stream_that_the_filter_is_still_to_see() {
    for interest in [
        Interest::REQUEST_BODY,
        Interest::REQUEST_TRAILERS,
        Interest::RESPONSE_HEADERS,
    ] {
        let mut chain = Chain::new(vec![filter_with(interest, |_, _, callback| {
            go_on(callback)
        })]);
        chain.post();
        let log =
            chain.tell(|stream| stream.handle_filter_failed(FilterIndex(0), OnFailure::Closed));
        assert_eq!(log, ["abandon upstream", "< 503 end"], "{interest:?}");
    }
}

#[test]
fn open_goes_on_with_what_the_callback_showed() {
    let mut chain = Chain::new(vec![passive()]);
    assert_eq!(fail_first(&mut chain, OnFailure::Open), ["> POST", "> `A`"]);
    assert_eq!(chain.last_data("B"), ["> `B` end"]);
    assert_eq!(chain.response(true), ["< 200 end"]);
    assert!(chain.end().is_empty());
}

#[test]
fn open_releases_what_was_held() {
    let mut chain = Chain::new(vec![filter(|_, _, callback| pause(callback)), passive()]);
    chain.post();
    chain.data("A");
    let expected = [
        "1 request headers 0",
        "> POST",
        "1 request body 1 `A`",
        "> `A`",
    ];
    let log = chain.tell(|stream| stream.handle_filter_failed(FilterIndex(0), OnFailure::Open));
    assert_eq!(log, expected);
}

#[test]
fn open_releases_both_directions_and_what_was_given_up() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| match callback {
        Callback::RequestBody { .. } => {
            stream.narrow_interest(index, Interest::RESPONSE);
            pause(callback)
        }
        _ if is_response_headers(callback) => pause(callback),
        _ => go_on(callback),
    })]);
    chain.post();
    chain.data("A");
    chain.response(true);
    let log = chain.tell(|stream| stream.handle_filter_failed(FilterIndex(0), OnFailure::Open));
    assert_eq!(log, ["> `A`", "< 200 end"]);
    assert_eq!(chain.last_data("B"), ["> `B` end"]);
}

#[test]
fn a_local_response_sent_before_the_trap_is_still_sent() {
    for policy in [OnFailure::Closed, OnFailure::Open] {
        let mut chain = Chain::new(vec![passive()]);
        let log = chain.tell(|stream| {
            stream.handle_request_head(request("GET"), true);
            assert!(matches!(stream.poll_effect(), Some(Effect::Callback(..))));
            stream.send_local_response(FilterIndex(0), local_response(403, ""));
            stream.handle_filter_failed(FilterIndex(0), policy);
        });
        assert_eq!(log, ["abandon upstream", "< 403 end"], "{policy:?}");
    }
}

#[test]
fn a_filter_may_fail_while_another_is_in_a_callback() {
    for (policy, expected) in [
        (
            OnFailure::Closed,
            vec!["abandon upstream", "1 response headers 0 end", "< 503 end"],
        ),
        (OnFailure::Open, vec!["> GET end"]),
    ] {
        let mut chain = Chain::new(vec![passive(), passive()]);
        let log = chain.tell(|stream| {
            stream.handle_request_head(request("GET"), true);
            assert!(matches!(
                stream.poll_effect(),
                Some(Effect::Callback(FilterIndex(0), _))
            ));
            stream.handle_action(FilterIndex(0), crate::chain::CONTINUE_HEAD);
            assert!(matches!(
                stream.poll_effect(),
                Some(Effect::Callback(FilterIndex(1), _))
            ));
            stream.handle_filter_failed(FilterIndex(0), policy);
            stream.handle_action(FilterIndex(1), crate::chain::CONTINUE_HEAD);
        });
        assert_eq!(log, expected, "{policy:?}");
    }
}

#[test]
fn a_failure_at_the_end_leaves_the_other_filters_their_end() {
    let mut chain = Chain::new(vec![passive(), passive()]);
    chain.get();
    let log = chain.tell(|stream| {
        stream.end();
        assert!(matches!(
            stream.poll_effect(),
            Some(Effect::Callback(FilterIndex(0), Callback::StreamEnd))
        ));
        stream.handle_filter_failed(FilterIndex(0), OnFailure::Closed);
    });
    assert_eq!(log, ["1 stream end"]);
}

#[test]
fn an_upstream_that_breaks_off_before_its_head_is_answered_for() {
    let mut chain = Chain::new(vec![passive()]);
    chain.get();
    let log = chain.tell(Stream::handle_upstream_reset);
    assert_eq!(log[0], "abandon upstream");
    assert!(log[2].starts_with("< 503"), "{log:?}");
    assert_eq!(
        chain.stream.response_details(),
        Some("upstream_reset_before_response_started")
    );
}

#[test]
fn an_upstream_that_breaks_off_while_its_head_is_held_is_answered_for() {
    let mut chain = Chain::new(vec![filter(|_, _, callback| {
        if is_response_headers(callback) {
            pause(callback)
        } else {
            go_on(callback)
        }
    })]);
    chain.get();
    chain.response(false);
    let log = chain.tell(Stream::handle_upstream_reset);
    assert!(log[1].starts_with("< 503"), "{log:?}");
}

#[test]
fn an_upstream_that_breaks_off_later_resets_the_stream() {
    let mut chain = Chain::new(vec![passive()]);
    chain.get();
    chain.response(false);
    let log = chain.tell(Stream::handle_upstream_reset);
    assert_eq!(
        log,
        ["reset: the upstream reset the stream after the response's head had gone"]
    );
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
fn an_upstream_that_breaks_off_after_its_response_does_no_harm() {
    let mut chain = Chain::new(vec![filter(|_, _, callback| {
        if is_response_headers(callback) {
            pause(callback)
        } else {
            go_on(callback)
        }
    })]);
    chain.post();
    chain.response(true);
    assert!(chain.tell(Stream::handle_upstream_reset).is_empty());
    assert_eq!(chain.resume(0, Direction::Response), ["< 200 end"]);
}

#[test]
fn when_downstream_goes_only_the_end_is_left() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD])]);
    chain.post();
    assert_eq!(chain.tell(Stream::end), ["0 stream end"]);
    assert!(chain.resume(0, Direction::Request).is_empty());
    assert!(chain.data("A").is_empty());
}

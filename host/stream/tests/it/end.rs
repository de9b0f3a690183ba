//! ABI reference 5.2, the end of a stream.

use proxy_wasi_stream::{Action, Callback, Effect, FilterIndex, Interest, Stream};

use crate::chain::{Chain, filter_with, go_on, passive, request};

#[test]
fn every_interested_filter_hears_once_in_configured_order() {
    let deaf = filter_with(Interest::REQUEST_HEADERS, |_, _, callback| go_on(callback));
    let mut chain = Chain::new(vec![passive(), deaf, passive()]);
    chain.get();
    assert_eq!(chain.end(), ["0 stream end", "2 stream end"]);
    assert!(chain.end().is_empty());
    assert!(chain.tell(Stream::end).is_empty());
}

#[test]
fn also_filters_that_never_saw_the_request() {
    let mut chain = Chain::new(vec![passive(), passive()]);
    assert_eq!(chain.end(), ["0 stream end", "1 stream end"]);
}

#[test]
fn what_was_still_to_be_done_is_not_done() {
    let mut chain = Chain::new(vec![passive()]);
    let log = chain.tell(|stream| {
        stream.handle_request_head(request("GET"), true);
        stream.end();
    });
    assert_eq!(log, ["0 stream end"]);
}

#[test]
fn the_running_callback_may_still_return() {
    let mut chain = Chain::new(vec![passive()]);
    let log = chain.tell(|stream| {
        stream.handle_request_head(request("GET"), true);
        assert!(matches!(stream.poll_effect(), Some(Effect::Callback(..))));
        stream.end();
        stream.handle_action(FilterIndex(0), crate::chain::CONTINUE_HEAD);
    });
    assert_eq!(log, ["0 stream end"]);
}

#[test]
fn giving_up_the_end_counts() {
    let mut chain = Chain::new(vec![passive(), passive()]);
    chain.get();
    chain.stream.narrow_interest(FilterIndex(1), Interest::NONE);
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
#[should_panic(expected = "must be answered")]
#[cfg(debug_assertions)]
fn polling_before_the_answer_is_a_mistake_of_the_driver() {
    let mut chain = Chain::new(vec![passive()]);
    chain.stream.handle_request_head(request("GET"), true);
    chain.stream.poll_effect();
    chain.stream.poll_effect();
}

#[test]
#[should_panic(expected = "no callback of filter 1 is running")]
#[cfg(debug_assertions)]
fn answering_for_another_filter_is_a_mistake_of_the_driver() {
    let mut chain = Chain::new(vec![passive(), passive()]);
    chain.stream.handle_request_head(request("GET"), true);
    chain.stream.poll_effect();
    chain
        .stream
        .handle_action(FilterIndex(1), crate::chain::CONTINUE_HEAD);
}

#[test]
#[should_panic(expected = "does not answer a headers callback")]
#[cfg(debug_assertions)]
fn answering_another_callback_is_a_mistake_of_the_driver() {
    let mut chain = Chain::new(vec![passive()]);
    chain.stream.handle_request_head(request("GET"), true);
    let effect = chain.stream.poll_effect();
    assert!(matches!(
        effect,
        Some(Effect::Callback(_, Callback::RequestHeaders { .. }))
    ));
    chain.stream.handle_action(FilterIndex(0), Action::Done);
}

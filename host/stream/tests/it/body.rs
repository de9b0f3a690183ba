//! ABI reference 6.2 and 6.3, body callbacks.

use proxy_wasi_stream::{Action, Callback, Direction, FilterIndex, Interest};

use crate::chain::{
    CONTINUE_BODY, CONTINUE_HEAD, Chain, PAUSE_BODY, PAUSE_HEAD, PAUSE_NO_BUFFER, PAUSE_WATERMARK,
    answers, filter, filter_with, go_on, passive, pause, seen,
};

const FIRST: FilterIndex = FilterIndex(0);

/// One row of the table: what the body callbacks for A, B and C answer; what they see, and what goes on, at each.
struct Row {
    answers: [Action; 3],
    seen: [&'static str; 3],
    forwarded: [&'static str; 3],
    after_resume: &'static str,
}

#[test]
fn the_table_of_body_views() {
    let rows = [
        Row {
            answers: [CONTINUE_BODY, CONTINUE_BODY, CONTINUE_BODY],
            seen: ["A", "B", "C"],
            forwarded: ["> `A`", "> `B`", "> `C` end"],
            after_resume: "",
        },
        Row {
            answers: [PAUSE_BODY, PAUSE_BODY, CONTINUE_BODY],
            seen: ["A", "AB", "ABC"],
            forwarded: ["", "", "> `ABC` end"],
            after_resume: "",
        },
        Row {
            answers: [PAUSE_BODY, CONTINUE_BODY, CONTINUE_BODY],
            seen: ["A", "AB", "C"],
            forwarded: ["", "> `AB`", "> `C` end"],
            after_resume: "",
        },
        Row {
            answers: [PAUSE_BODY, CONTINUE_BODY, PAUSE_BODY],
            seen: ["A", "AB", "C"],
            forwarded: ["", "> `AB`", ""],
            after_resume: "> `C` end",
        },
        Row {
            answers: [PAUSE_WATERMARK, PAUSE_WATERMARK, CONTINUE_BODY],
            seen: ["A", "B", "C"],
            forwarded: ["", "", "> `ABC` end"],
            after_resume: "",
        },
        // Not in the table, but what follows from the rules.
        Row {
            answers: [PAUSE_NO_BUFFER, PAUSE_NO_BUFFER, CONTINUE_BODY],
            seen: ["A", "B", "C"],
            forwarded: ["", "", "> `C` end"],
            after_resume: "",
        },
        Row {
            answers: [PAUSE_WATERMARK, PAUSE_BODY, CONTINUE_BODY],
            seen: ["A", "B", "ABC"],
            forwarded: ["", "", "> `ABC` end"],
            after_resume: "",
        },
        Row {
            answers: [PAUSE_BODY, PAUSE_WATERMARK, CONTINUE_BODY],
            seen: ["A", "AB", "C"],
            forwarded: ["", "", "> `ABC` end"],
            after_resume: "",
        },
        Row {
            answers: [PAUSE_WATERMARK, PAUSE_NO_BUFFER, PAUSE_NO_BUFFER],
            seen: ["A", "B", "C"],
            forwarded: ["", "", ""],
            after_resume: "> `A` end",
        },
        Row {
            answers: [PAUSE_NO_BUFFER, PAUSE_NO_BUFFER, PAUSE_NO_BUFFER],
            seen: ["A", "B", "C"],
            forwarded: ["", "", ""],
            after_resume: "> `` end",
        },
        Row {
            answers: [PAUSE_BODY, PAUSE_NO_BUFFER, CONTINUE_BODY],
            seen: ["A", "AB", "C"],
            forwarded: ["", "", "> `C` end"],
            after_resume: "",
        },
    ];
    for row in rows {
        let [a, b, c] = row.answers;
        let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, a, b, c])]);
        chain.post();
        for (at, chunk) in ["A", "B", "C"].into_iter().enumerate() {
            let log = chain.tell(|stream| stream.handle_request_data(chunk.into(), at == 2));
            let forwarded = log.get(1..).unwrap_or_default().concat();
            let end = if at == 2 { " end" } else { "" };
            let callback = format!(
                "0 request body {} `{}`{end}",
                row.seen[at].len(),
                row.seen[at]
            );
            assert_eq!(log[0], callback, "{:?}", row.answers);
            assert_eq!(forwarded, row.forwarded[at], "{:?} at {chunk}", row.answers);
        }
        assert_eq!(
            chain.resume(0, Direction::Request).concat(),
            row.after_resume,
            "{:?}",
            row.answers
        );
    }
}

#[test]
fn pause_in_the_headers_callback_then_resume_shows_what_has_come_as_one_piece() {
    let mut chain = Chain::new(vec![answers([PAUSE_HEAD])]);
    chain.post();
    chain.data("A");
    chain.data("B");
    assert_eq!(
        chain.resume(0, Direction::Request),
        ["> POST", "0 request body 2 `AB`", "> `AB`"]
    );
    assert_eq!(
        chain.last_data("C"),
        ["0 request body 1 `C` end", "> `C` end"]
    );
}

#[test]
fn resumed_bytes_go_to_the_next_filter_and_not_to_this_one_again() {
    let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, PAUSE_BODY]), passive()]);
    chain.post();
    assert_eq!(chain.last_data("A"), ["0 request body 1 `A` end"]);
    assert_eq!(
        chain.resume(0, Direction::Request),
        ["1 request body 1 `A` end", "> `A` end"]
    );
}

#[test]
fn edits_of_a_held_body_are_kept_for_the_next_callback() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| match callback {
        Callback::RequestBody { end_of_stream, .. } => {
            let size = stream.body_size(index, Direction::Request).unwrap_or(0);
            stream
                .body_splice(index, Direction::Request, size, 0, b"+")
                .unwrap();
            if end_of_stream {
                go_on(callback)
            } else {
                pause(callback)
            }
        }
        _ => go_on(callback),
    })]);
    chain.post();
    assert_eq!(chain.data("A"), ["0 request body 1 `A`"]);
    assert_eq!(chain.data("B"), ["0 request body 3 `A+B`"]);
    assert_eq!(
        chain.last_data("C"),
        ["0 request body 5 `A+B+C` end", "> `A+B+C+` end"]
    );
}

#[test]
fn bytes_held_by_pause_and_buffer_can_be_edited_outside_a_callback() {
    let mut chain = Chain::new(vec![answers([CONTINUE_HEAD, PAUSE_BODY])]);
    chain.post();
    chain.last_data("hello");
    assert_eq!(seen(&chain.stream, FIRST, Direction::Request), "hello");
    chain
        .stream
        .body_splice(FIRST, Direction::Request, 0, 5, b"bye")
        .unwrap();
    assert_eq!(chain.resume(0, Direction::Request), ["> `bye` end"]);
}

#[test]
fn an_edit_before_bytes_held_unseen_leaves_those_alone() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| match callback {
        Callback::RequestBody {
            size,
            end_of_stream,
        } => {
            stream
                .body_splice(index, Direction::Request, 0, size as usize, b"-")
                .unwrap();
            if end_of_stream {
                CONTINUE_BODY
            } else {
                PAUSE_WATERMARK
            }
        }
        _ => go_on(callback),
    })]);
    chain.post();
    assert_eq!(chain.data("abc"), ["0 request body 3 `abc`"]);
    assert_eq!(chain.data("def"), ["0 request body 3 `def`"]);
    assert_eq!(
        chain.last_data("ghi"),
        ["0 request body 3 `ghi` end", "> `---` end"]
    );
}

#[test]
fn a_body_can_be_emptied() {
    let mut chain = Chain::new(vec![
        filter(|stream, index, callback| {
            if let Callback::RequestBody { size, .. } = callback {
                stream
                    .body_splice(index, Direction::Request, 0, size as usize, b"")
                    .unwrap();
            }
            go_on(callback)
        }),
        passive(),
    ]);
    chain.post();
    assert_eq!(chain.data("A"), ["0 request body 1 `A`"]);
    assert_eq!(
        chain.last_data("B"),
        [
            "0 request body 1 `B` end",
            "1 request body 0 `` end",
            "> `` end"
        ]
    );
}

#[test]
fn a_later_filter_holds_earlier_bytes_while_an_earlier_filter_holds_later_ones() {
    let mut chain = Chain::new(vec![
        answers([CONTINUE_HEAD, CONTINUE_BODY, PAUSE_BODY]),
        answers([CONTINUE_HEAD, PAUSE_BODY, PAUSE_BODY]),
    ]);
    chain.post();
    assert_eq!(
        chain.data("A"),
        ["0 request body 1 `A`", "1 request body 1 `A`"]
    );
    assert_eq!(chain.last_data("B"), ["0 request body 1 `B` end"]);
    assert_eq!(seen(&chain.stream, FilterIndex(1), Direction::Request), "A");
    assert_eq!(
        chain.resume(0, Direction::Request),
        ["1 request body 2 `AB` end"]
    );
    assert_eq!(chain.resume(1, Direction::Request), ["> `AB` end"]);
}

#[test]
fn a_filter_without_interest_in_bodies_is_passed() {
    let headers_only = filter_with(Interest::REQUEST_HEADERS, |_, _, callback| go_on(callback));
    let mut chain = Chain::new(vec![headers_only, passive()]);
    chain.post();
    assert_eq!(
        chain.last_data("A"),
        ["1 request body 1 `A` end", "> `A` end"]
    );
}

#[test]
fn an_absent_callback_counts_as_continue() {
    let interest = Interest::REQUEST_HEADERS | Interest::REQUEST_BODY;
    let mut chain = Chain::new(vec![filter_with(
        interest,
        |_, _, callback| match callback {
            Callback::RequestBody { .. } => pause(callback),
            _ => go_on(callback),
        },
    )]);
    chain.post();
    assert_eq!(chain.data("A"), ["0 request body 1 `A`"]);
    assert_eq!(chain.trailers(), ["> `A`", "> trailers t=1"]);
}

#[test]
fn giving_up_callbacks_releases_nothing() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| match callback {
        Callback::RequestBody { .. } => {
            stream.narrow_interest(index, Interest::STREAM_END);
            pause(callback)
        }
        _ => go_on(callback),
    })]);
    chain.post();
    assert_eq!(chain.data("A"), ["0 request body 1 `A`"]);
    assert!(chain.data("B").is_empty());
    assert!(chain.trailers().is_empty());
    assert_eq!(
        chain.resume(0, Direction::Request),
        ["> `AB`", "> trailers t=1"]
    );
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
fn what_has_been_given_up_does_not_return() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        stream.narrow_interest(index, Interest::STREAM_END);
        stream.narrow_interest(index, Interest::ALL);
        go_on(callback)
    })]);
    assert_eq!(chain.post(), ["0 request headers 0", "> POST"]);
    assert_eq!(chain.last_data("A"), ["> `A` end"]);
    assert_eq!(chain.response(true), ["< 200 end"]);
    assert_eq!(chain.end(), ["0 stream end"]);
}

#[test]
fn the_response_may_begin_before_the_request_has_ended() {
    let mut chain = Chain::new(vec![passive()]);
    chain.post();
    assert_eq!(chain.response(false), ["0 response headers 0", "< 200"]);
    assert_eq!(chain.data("A"), ["0 request body 1 `A`", "> `A`"]);
    assert_eq!(
        chain.last_response_data("x"),
        ["0 response body 1 `x` end", "< `x` end"]
    );
    assert_eq!(
        chain.last_data("B"),
        ["0 request body 1 `B` end", "> `B` end"]
    );
}

#[test]
fn what_is_handed_in_out_of_order_is_ignored() {
    let mut chain = Chain::new(vec![passive()]);
    assert!(chain.data("early").is_empty());
    assert!(chain.trailers().is_empty());
    assert!(chain.response_data("early").is_empty());
    chain.get();
    assert!(chain.data("a GET has no body").is_empty());
    assert!(chain.trailers().is_empty());
    assert!(chain.post().is_empty());
    assert_eq!(chain.response(false), ["0 response headers 0", "< 200"]);
    assert!(chain.response(false).is_empty());
    chain.last_response_data("x");
    assert!(chain.last_response_data("x").is_empty());
    assert!(chain.response_trailers().is_empty());
}

#[test]
fn everything_may_be_handed_in_at_once() {
    let mut chain = Chain::new(vec![passive()]);
    let log = chain.tell(|stream| {
        stream.handle_request_head(crate::chain::request("POST"), false);
        stream.handle_request_data("A".into(), false);
        stream.handle_request_data("B".into(), true);
    });
    assert_eq!(
        log,
        [
            "0 request headers 0",
            "> POST",
            "0 request body 2 `AB` end",
            "> `AB` end"
        ]
    );
}

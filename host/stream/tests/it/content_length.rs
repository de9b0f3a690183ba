//! `content-length` is kept true (RFC 9110, 8.6).

use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use proxy_wasi_stream::{Callback, Deviation, Direction, Filter, FilterIndex, MapKind};

use crate::chain::{
    Chain, Script, filter, go_on, is_request_headers, is_response_headers, passive, pause, request,
    response, stop_iteration,
};

/// A filter that adds `!` to the end of every response body callback's bytes.
fn shouts() -> (Filter, Script) {
    filter(|stream, index, callback| {
        if let Callback::ResponseBody { size, .. } = callback {
            stream
                .body_splice(index, Direction::Response, size as usize, 0, b"!")
                .unwrap();
        }
        go_on(callback)
    })
}

/// The same, holding head and body until the body's end.
fn shouts_holding_all() -> (Filter, Script) {
    stop_iteration(filter(|stream, index, callback| match callback {
        Callback::ResponseHeaders { .. }
        | Callback::ResponseBody {
            end_of_stream: false,
            ..
        } => pause(callback),
        Callback::ResponseBody {
            size,
            end_of_stream: true,
        } => {
            stream
                .body_splice(index, Direction::Response, size as usize, 0, b"!")
                .unwrap();
            go_on(callback)
        }
        _ => go_on(callback),
    }))
}

/// Removes `content-length` as a well-behaved plugin does, then does as the filter given.
fn without_length((settings, mut script): (Filter, Script)) -> (Filter, Script) {
    let script: Script = Box::new(move |stream, index, callback| {
        if is_response_headers(callback) {
            stream
                .fields_mut(index, MapKind::ResponseHeaders)
                .unwrap()
                .remove(CONTENT_LENGTH);
        }
        script(stream, index, callback)
    });
    (settings, script)
}

fn with_length(length: &'static str, (settings, mut script): (Filter, Script)) -> (Filter, Script) {
    let script: Script = Box::new(move |stream, index, callback| {
        if is_response_headers(callback) {
            let fields = stream.fields_mut(index, MapKind::ResponseHeaders).unwrap();
            fields.insert(CONTENT_LENGTH, HeaderValue::from_static(length));
        }
        script(stream, index, callback)
    });
    (settings, script)
}

/// Runs a response of two pieces of two bytes, and returns what came out.
fn answer(filters: Vec<(Filter, Script)>) -> Vec<String> {
    let mut chain = Chain::new(filters);
    chain.get();
    let mut log = chain.tell(|stream| {
        stream.handle_response_head(response(200, &[("content-length", "4")]), false)
    });
    log.extend(chain.response_data("ab"));
    log.extend(chain.last_response_data("cd"));
    log.retain(|line| line.starts_with('<') || line.starts_with("reset"));
    log
}

fn reset(filter: usize, actual: u64, declared: u64) -> String {
    format!(
        "reset: filter {filter} made the response body {actual} bytes long after `content-length: {declared}` had gone; \
         remove `content-length` in the headers callback"
    )
}

#[test]
fn a_message_that_nobody_edits_keeps_its_length() {
    assert_eq!(
        answer(vec![passive()]),
        ["< 200 content-length=4", "< `ab`", "< `cd` end"]
    );
}

#[test]
fn an_edit_while_the_head_is_held_corrects_the_length() {
    let log = answer(vec![shouts_holding_all()]);
    assert_eq!(log[0], "< 200 content-length=5");
    assert_eq!(crate::chain::sent(&log, '<'), "abcd!");
}

#[test]
fn an_edit_after_the_head_has_gone_is_an_error_that_names_the_filter_and_the_way_out() {
    // Overlong: noticed when the promise is broken.
    let log = answer(vec![passive(), shouts()]);
    assert_eq!(log, ["< 200 content-length=4", "< `ab!`", &reset(1, 6, 4)]);
    let log = answer(vec![shouts(), passive()]);
    assert_eq!(log, ["< 200 content-length=4", "< `ab!`", &reset(0, 6, 4)]);
}

#[test]
fn a_body_made_shorter_is_an_error_at_its_end() {
    let log = answer(vec![filter(|stream, index, callback| {
        if let Callback::ResponseBody { .. } = callback {
            stream
                .body_splice(index, Direction::Response, 0, 1, b"")
                .unwrap();
        }
        go_on(callback)
    })]);
    assert_eq!(log, ["< 200 content-length=4", "< `b`", &reset(0, 2, 4)]);
}

#[test]
fn dropped_bytes_make_a_body_shorter_too() {
    let log = answer(vec![filter(|_, _, callback| match callback {
        Callback::ResponseBody {
            end_of_stream: false,
            ..
        } => crate::chain::PAUSE_NO_BUFFER,
        _ => go_on(callback),
    })]);
    assert_eq!(log, ["< 200 content-length=4", &reset(0, 2, 4)]);
}

#[test]
fn removing_the_field_is_the_way_out() {
    assert_eq!(
        answer(vec![without_length(shouts())]),
        ["< 200", "< `ab!`", "< `cd!` end"]
    );
}

#[test]
fn a_later_filter_may_remove_the_field_as_well() {
    let log = answer(vec![without_length(passive()), shouts()]);
    assert_eq!(log, ["< 200", "< `ab!`", "< `cd!` end"]);
}

#[test]
fn a_filter_that_knows_the_length_may_declare_it() {
    assert_eq!(
        answer(vec![with_length("6", shouts())]),
        ["< 200 content-length=6", "< `ab!`", "< `cd!` end"]
    );
}

#[test]
fn a_filter_that_declares_a_wrong_length_is_named() {
    assert_eq!(
        answer(vec![with_length("5", shouts())]).last().unwrap(),
        &reset(0, 6, 5)
    );
    assert_eq!(
        answer(vec![passive(), with_length("9", passive())])
            .last()
            .unwrap(),
        &reset(1, 4, 9)
    );
}

#[test]
fn an_edit_before_a_filter_that_holds_the_head_is_accounted_for() {
    let log = answer(vec![shouts_holding_all(), shouts()]);
    assert_eq!(log[0], "< 200 content-length=7");
    assert_eq!(crate::chain::sent(&log, '<'), "ab!cd!!");
}

#[test]
fn a_malformed_or_contradicted_length_is_not_sent() {
    let log = answer(vec![with_length("4x", passive())]);
    assert_eq!(log[0], "< 200");
    let log = answer(vec![filter(|stream, index, callback| {
        if is_response_headers(callback) {
            let fields = stream.fields_mut(index, MapKind::ResponseHeaders).unwrap();
            fields.append(CONTENT_LENGTH, HeaderValue::from_static("5"));
        }
        go_on(callback)
    })]);
    assert_eq!(log, ["< 200", "< `ab`", "< `cd` end"]);
}

#[test]
fn a_message_that_is_only_a_head_has_no_other_length_than_zero() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if is_request_headers(callback) {
            let fields = stream.fields_mut(index, MapKind::RequestHeaders).unwrap();
            fields.insert(CONTENT_LENGTH, HeaderValue::from_static("5"));
        }
        go_on(callback)
    })]);
    assert_eq!(chain.get().last().unwrap(), "> GET content-length=0 end");
    assert_eq!(
        chain.stream.take_deviation(),
        Some((FilterIndex(0), Deviation::ContentLengthKeptTrue))
    );
}

#[test]
fn the_request_side_mirrors_the_response_side() {
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if let Callback::RequestBody { size, .. } = callback {
            stream
                .body_splice(index, Direction::Request, size as usize, 0, b"!")
                .unwrap();
        }
        go_on(callback)
    })]);
    let mut head = request("POST");
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from_static("2"));
    chain.tell(|stream| stream.handle_request_head(head, false));
    let log = chain.last_data("ab");
    assert!(
        log[1].starts_with("reset: filter 0 made the request body 3 bytes long"),
        "{log:?}"
    );
}

#[test]
fn the_length_of_what_has_no_body_is_left_alone() {
    // The response to a HEAD request, and a 304, say how long a body would have been.
    for (method, status) in [("HEAD", 200), ("GET", 304)] {
        let touch = |stream: &mut proxy_wasi_stream::Stream, index, callback| {
            if is_response_headers(callback) {
                stream.fields_mut(index, MapKind::ResponseHeaders).unwrap();
            }
            go_on(callback)
        };
        let mut chain = Chain::new(vec![filter(touch)]);
        chain.tell(|stream| stream.handle_request_head(request(method), true));
        let log = chain.tell(|stream| {
            stream.handle_response_head(response(status, &[("content-length", "99")]), true)
        });
        assert_eq!(
            log.last().unwrap(),
            &format!("< {status} content-length=99 end")
        );
    }
}

#[test]
fn an_upstream_that_breaks_its_own_promise_is_not_blamed_on_a_filter() {
    let mut chain = Chain::new(vec![passive()]);
    chain.get();
    chain.tell(|stream| {
        stream.handle_response_head(response(200, &[("content-length", "9")]), false)
    });
    assert_eq!(chain.last_response_data("ab").last().unwrap(), "< `ab` end");
}

//! ABI reference 7.2: what happens to heads that filters have taken parts of the start line from.

use crate::chain::{Chain, filter, go_on, is_request_headers, is_response_headers, request};

#[test]
fn a_head_without_its_start_line_is_refused() {
    type Spoil = fn(&mut proxy_wasi_stream::RequestHead);
    let cases: [(&str, Spoil); 3] = [
        (":method", |head| head.method = None),
        (":path", |head| head.path = None),
        (":authority", |head| head.set_authority(None)),
    ];
    for (part, spoil) in cases {
        let mut chain = Chain::new(vec![filter(move |stream, index, callback| {
            if is_request_headers(callback) {
                spoil(stream.request_head_mut(index).unwrap());
            }
            go_on(callback)
        })]);
        let log = chain.get();
        assert_eq!(log[1], "abandon upstream", "{part}");
        assert!(
            log.contains(&format!("< `missing required header: {part}` end")),
            "{log:?}"
        );
        assert!(log.iter().any(|line| line.starts_with("< 503")), "{log:?}");
        let details =
            format!("filter_removed_required_request_headers{{missing_required_header:_{part}}}");
        assert_eq!(chain.stream.response_details(), Some(&*details));
    }
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if is_response_headers(callback) {
            stream.response_head_mut(index).unwrap().status = None;
        }
        go_on(callback)
    })]);
    chain.get();
    let log = chain.response(false);
    assert_eq!(log[..2], ["0 response headers 0", "abandon upstream"]);
    assert!(log[2].starts_with("< 502"), "{log:?}");
}

#[test]
fn a_later_filter_may_mend_what_an_earlier_one_removed() {
    let mut chain = Chain::new(vec![
        filter(|stream, index, callback| {
            if is_request_headers(callback) {
                stream.request_head_mut(index).unwrap().method = None;
            }
            go_on(callback)
        }),
        filter(|stream, index, callback| {
            if is_request_headers(callback) {
                stream.request_head_mut(index).unwrap().method = Some(http::Method::PUT);
            }
            go_on(callback)
        }),
    ]);
    assert_eq!(chain.get().last().unwrap(), "> PUT end");
}

#[test]
fn a_request_that_came_without_authority_is_let_through() {
    let mut head = request("GET");
    head.set_authority(None);
    let mut chain = Chain::new(vec![filter(|stream, index, callback| {
        if is_request_headers(callback) {
            stream.request_head_mut(index).unwrap();
        }
        go_on(callback)
    })]);
    assert_eq!(
        chain
            .tell(|stream| stream.handle_request_head(head, true))
            .last()
            .unwrap(),
        "> GET end"
    );
}

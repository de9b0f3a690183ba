//! The numbers that callbacks return (ABI reference 2.3).

use proxy_wasi_test_support::Kind;

use super::{CHUNKED, nudge, resumed_by};
use crate::harness::{Case, Upstream, both_kinds};

both_kinds!(
    s2_3_headers_results,
    s2_3_data_results,
    s2_3_trailers_results,
);

/// Both headers and body results: a number that is none pauses.
fn s2_3_headers_results(kind: Kind) {
    for (result, holds) in [
        (0, false),
        (1, true),
        (2, false),
        (3, true),
        (4, true),
        (5, true),
        (-1, true),
    ] {
        let script = format!(
            "request_headers@2#1:\n return({result})\n{}",
            resumed_by(3, 0)
        );
        let upstream = Upstream::new();
        Case::new(kind, &script)
            .upstream(&upstream)
            .start_and(|running| {
                let mut client = running.client_of_get();
                running.wait_for("request_headers", 1);
                nudge(running);
                assert_eq!(upstream.is_untouched(), holds, "{result}");
                if holds {
                    nudge(running);
                    let (mut peer, _) = upstream.accept();
                    peer.send_no_content();
                    assert!(client.head().starts_with("HTTP/1.1 204"));
                }
            });
    }
}

fn s2_3_data_results(kind: Kind) {
    // What the next callback shows, and what reaches the upstream.
    for (result, next, forwarded) in [
        (0, "B", "AB"),
        (1, "AB", "AB"),
        (2, "B", "AB"),
        (3, "B", "B"),
        (4, "B", "B"),
        (-1, "B", "B"),
    ] {
        let script = format!(
            "request_headers:
                remove_header_map_value(0, 'content-length')
            request_body@2#1:
                get_buffer_bytes(0, 0, 9, out) => 0 'A'
                return({result})
            request_body@2#2:
                get_buffer_bytes(0, 0, 9, out) => 0 '{next}'"
        );
        let upstream = Upstream::new();
        Case::new(kind, &script).upstream(&upstream).run(|running| {
            let mut client = running.client_of_post(2);
            client.send("A");
            running.wait_for("request_body", 1);
            client.send("B");
            let (mut peer, _) = upstream.accept();
            assert_eq!(peer.chunked_body().0, forwarded, "{result}");
            peer.send_no_content();
            client.head();
        });
    }
}

fn s2_3_trailers_results(kind: Kind) {
    for (result, holds) in [(0, false), (1, true), (2, true), (-1, true)] {
        let script = format!(
            "request_trailers:
                return({result})
            {}",
            resumed_by(3, 0)
        );
        let upstream = Upstream::new();
        let case = Case::new(kind, &script).upstream(&upstream);
        case.start_and(|running| {
            let mut client = running.client();
            client.send_head(&CHUNKED);
            client.trailers(&["x-trailer: 1"]);
            let (mut peer, _) = upstream.accept();
            running.wait_for("request_trailers", 1);
            nudge(running);
            if holds {
                assert!(peer.is_silent(), "{result}");
                nudge(running);
            }
            let (body, trailers) = peer.chunked_body();
            assert_eq!((body.as_str(), trailers.trim()), ("", "x-trailer: 1"));
            peer.send_no_content();
            client.head();
        });
    }
}

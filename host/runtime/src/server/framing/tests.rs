use super::*;

/// Feeds `bytes` in pieces of every size, which must not matter.
#[track_caller]
fn scan(bytes: &str) -> (Option<Refusal>, RequestScanner) {
    let mut results = (1..=bytes.len()).map(|size| {
        let mut scanner = RequestScanner::new(200);
        let refusal = bytes
            .as_bytes()
            .chunks(size)
            .find_map(|piece| scanner.feed(piece));
        (refusal, scanner)
    });
    let (first, scanner) = results.next().unwrap();
    for (refusal, other) in results {
        assert_eq!(refusal, first, "in {bytes:?}");
        assert_eq!(other.state, scanner.state, "in {bytes:?}");
        assert_eq!(other.heads, scanner.heads, "in {bytes:?}");
    }
    (first, scanner)
}

#[test]
fn refuses_contradictions() {
    let table = [
        (
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            Rejection::TWO_FRAMINGS,
        ),
        (
            "transfer-encoding: chunked\r\ncontent-length: 3\r\n",
            Rejection::TWO_FRAMINGS,
        ),
        (
            "TRANSFER-ENCODING:\tchunked\r\nA: b\r\nCONTENT-LENGTH:3\r\n",
            Rejection::TWO_FRAMINGS,
        ),
        (
            "transfer-encoding: x\ncontent-length: y\n",
            Rejection::TWO_FRAMINGS,
        ),
        (
            "content-length: 3\r\ncontent-length: 3\r\n",
            Rejection::REPEATED_LENGTH,
        ),
        (
            "content-length: 3\r\nhost: a\r\ncontent-length: 4\r\n",
            Rejection::REPEATED_LENGTH,
        ),
    ];
    for (fields, rejection) in table {
        let (refusal, _) = scan(&format!("POST / HTTP/1.1\r\n{fields}\r\nabc"));
        assert_eq!(
            refusal,
            Some(Refusal {
                request: 1,
                rejection
            }),
            "{fields}"
        );
    }
}

#[test]
fn sees_contradictions_behind_any_body() {
    let bad = "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let bodies = [
        "\r\n",
        "content-length: 0\r\n\r\n",
        "content-length: 5\r\n\r\n\n\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n5;x=\"y\"\r\nabcde\r\nA\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\nt: u\r\n\r\n",
    ];
    for body in bodies {
        let (refusal, _) = scan(&format!("POST / HTTP/1.1\r\n{body}\r\n{bad}"));
        let expected = Refusal {
            request: 2,
            rejection: Rejection::TWO_FRAMINGS,
        };
        assert_eq!(refusal, Some(expected), "{body:?}");
    }
}

#[test]
fn bodies_are_not_fields() {
    let fields = "content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n";
    let table = [
        format!(
            "POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{fields}",
            fields.len()
        ),
        format!(
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{fields}\r\n0\r\n\r\n",
            fields.len()
        ),
    ];
    for request in table {
        let (refusal, scanner) = scan(&request);
        assert_eq!(refusal, None);
        assert!(scanner.is_between_messages());
        assert_eq!(scanner.heads, 1);
    }
}

#[test]
fn similar_fields_are_others() {
    let (refusal, scanner) = scan(
        "GET / HTTP/1.1\r\nx-content-length: 1\r\ncontent-lengths: 1\r\ncontent-length : 1\r\n\
         transfer-encoding-x: chunked\r\nte: trailers\r\nc\r\n\r\n",
    );
    assert_eq!(refusal, None);
    assert!(scanner.is_between_messages());
}

#[test]
fn limits_the_head() {
    for head in [
        format!("GET /{} HTTP/1.1\r\n", "x".repeat(200)),
        format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(200)),
        format!("GET / HTTP/1.1\r\n{}", "x: y\r\n".repeat(50)),
    ] {
        let (refusal, _) = scan(&head);
        assert_eq!(
            refusal.map(|refusal| refusal.rejection),
            Some(Rejection::HEAD_TOO_LARGE)
        );
    }
    let (refusal, scanner) = scan(&"GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(20));
    assert_eq!((refusal, scanner.heads), (None, 20));
}

#[test]
fn knows_where_it_is() {
    let mut scanner = RequestScanner::new(200);
    let steps: [(&[u8], bool, bool); 8] = [
        (b"", false, true),
        (b"\r\n", false, true),
        (b"PO", true, false),
        (b"ST / HTTP/1.1\r\n", true, false),
        (b"content-length: 3\r\n", true, false),
        (b"\r\n", false, false),
        (b"ab", false, false),
        (b"c", false, true),
    ];
    for (bytes, in_head, between) in steps {
        assert_eq!(scanner.feed(bytes), None);
        assert_eq!(
            (scanner.is_in_head(), scanner.is_between_messages()),
            (Some(in_head), between)
        );
    }
}

#[test]
fn leaves_http2_alone() {
    let (refusal, scanner) =
        scan("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n");
    assert_eq!((refusal, scanner.heads), (None, 0));
    assert_eq!(scanner.is_in_head(), None);
}

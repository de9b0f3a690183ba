use super::*;

type Fields<'a> = &'a [(&'a str, &'a str)];

fn response(status: u16, fields: Fields<'_>) -> Response<()> {
    let mut builder = Response::builder().status(status).version(Version::HTTP_10);
    for (name, value) in fields {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap()
}

#[test]
fn admits_responses() {
    let table: [(u16, Fields<'_>, &[&str]); 10] = [
        (
            200,
            &[("date", "x"), ("server", "y")],
            &["date: x", "server: y"],
        ),
        (
            200,
            &[
                ("connection", "close, x-a"),
                ("x-a", "1"),
                ("keep-alive", "timeout=5"),
            ],
            &[],
        ),
        (
            200,
            &[("transfer-encoding", "Chunked"), ("content-length", "3")],
            &[],
        ),
        (
            200,
            &[("content-length", "3"), ("content-length", "3")],
            &["content-length: 3"],
        ),
        (200, &[("content-length", "3, 3")], &["content-length: 3"]),
        (
            200,
            &[("content-length", "3"), ("content-length", "3 ,3")],
            &["content-length: 3"],
        ),
        (204, &[("content-length", "0")], &[]),
        (304, &[("content-length", "9")], &["content-length: 9"]),
        (200, &[("trailer", "x-sum")], &["trailer: x-sum"]),
        (426, &[("upgrade", "h2c"), ("connection", "upgrade")], &[]),
    ];
    for (status, fields, expected) in table {
        let mut response = response(status, fields);
        admit_response(&mut response).unwrap();
        let lines: Vec<String> = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        assert_eq!(lines, expected, "{status} {fields:?}");
        assert_eq!(response.version(), Version::HTTP_11);
    }
}

#[test]
fn refuses_responses_that_cannot_be_passed_on() {
    let table: [(u16, Fields<'_>); 8] = [
        (101, &[("upgrade", "x")]),
        (200, &[("transfer-encoding", "gzip, chunked")]),
        (200, &[("transfer-encoding", "gzip")]),
        (
            200,
            &[
                ("transfer-encoding", "chunked"),
                ("transfer-encoding", "chunked"),
            ],
        ),
        (200, &[("content-length", "3"), ("content-length", "4")]),
        (200, &[("content-length", "3, 4")]),
        (200, &[("content-length", "3,")]),
        (200, &[("content-length", "+3")]),
    ];
    for (status, fields) in table {
        let rejection = admit_response(&mut response(status, fields)).unwrap_err();
        assert_eq!(rejection.status, 502, "{status} {fields:?}");
    }
}

use http_body_util::{Empty, Full};

use super::*;

const LOCAL: &str = "192.0.2.1:8080";

type Fields<'a> = &'a [(&'a str, &'a str)];

/// A request as hyper hands it over.
fn request(
    method: &str,
    target: &str,
    version: Version,
    fields: Fields<'_>,
) -> Request<Empty<Bytes>> {
    let mut builder = Request::builder()
        .method(method)
        .uri(target)
        .version(version);
    for (name, value) in fields {
        builder = builder.header(*name, *value);
    }
    builder.body(Empty::new()).unwrap()
}

fn admitted(mut request: Request<Empty<Bytes>>) -> Result<Request<Empty<Bytes>>, Rejection> {
    admit(&mut request, LOCAL.parse().unwrap(), &RequestIds::new()).map(|()| request)
}

/// The admitted HTTP/1.1 GET with these fields, as sorted lines without `host` and `x-request-id`.
fn fields_after(fields: Fields<'_>) -> Vec<String> {
    let mut all = vec![("host", "a.test")];
    all.extend_from_slice(fields);
    let request = admitted(request("GET", "/", Version::HTTP_11, &all)).unwrap();
    let mut lines: Vec<String> = request
        .headers()
        .iter()
        .filter(|(name, _)| *name != header::HOST && *name != X_REQUEST_ID)
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    lines
}

#[track_caller]
fn rejected(method: &str, target: &str, version: Version, fields: Fields<'_>) -> u16 {
    match admitted(request(method, target, version, fields)) {
        Ok(request) => panic!("admitted: {request:?}"),
        Err(rejection) => rejection.status.as_u16(),
    }
}

#[test]
fn finds_the_authority() {
    use Version as V;
    let table: [(&str, &str, Version, Fields<'_>, &str, &str); 15] = [
        (
            "GET",
            "/p?q",
            V::HTTP_11,
            &[("host", "a.test")],
            "/p?q",
            "a.test",
        ),
        (
            "GET",
            "/",
            V::HTTP_11,
            &[("host", "A.test:81")],
            "/",
            "A.test:81",
        ),
        (
            "GET",
            "/",
            V::HTTP_11,
            &[("host", "[::1]:81")],
            "/",
            "[::1]:81",
        ),
        (
            "GET",
            "http://b.test/p",
            V::HTTP_11,
            &[("host", "a.test")],
            "/p",
            "b.test",
        ),
        (
            "GET",
            "https://b.test:8443?q",
            V::HTTP_11,
            &[("host", "a.test")],
            "/?q",
            "b.test:8443",
        ),
        (
            "OPTIONS",
            "*",
            V::HTTP_11,
            &[("host", "a.test")],
            "*",
            "a.test",
        ),
        (
            "OPTIONS",
            "http://b.test/",
            V::HTTP_11,
            &[("host", "a.test")],
            "/",
            "b.test",
        ),
        (
            "GET",
            "http://b.test",
            V::HTTP_11,
            &[("host", "a")],
            "/",
            "b.test",
        ),
        ("GET", "http://b.test?q", V::HTTP_2, &[], "/?q", "b.test"),
        (
            "OPTIONS",
            "http://b.test?q",
            V::HTTP_2,
            &[],
            "/?q",
            "b.test",
        ),
        ("GET", "/", V::HTTP_10, &[], "/", LOCAL),
        ("GET", "/", V::HTTP_10, &[("host", "a.test")], "/", "a.test"),
        ("GET", "http://b.test/p", V::HTTP_2, &[], "/p", "b.test"),
        (
            "GET",
            "http://b.test/p",
            V::HTTP_2,
            &[("host", "B.TEST")],
            "/p",
            "B.TEST",
        ),
        (
            "GET",
            "/p",
            V::HTTP_2,
            &[("host", "a.test")],
            "/p",
            "a.test",
        ),
    ];
    for (method, target, version, fields, path, host) in table {
        let request = admitted(request(method, target, version, fields)).unwrap();
        // As it is sent: a path that is missing only reads as `/`.
        let sent = request.uri().path_and_query().map(|target| target.as_str());
        assert_eq!(sent, Some(path), "{target}");
        assert_eq!(
            request
                .headers()
                .get_all(header::HOST)
                .iter()
                .collect::<Vec<_>>(),
            [host],
            "{target}"
        );
    }
}

#[test]
fn refuses_a_doubtful_authority() {
    use Version as V;
    let table: [(&str, Version, Fields<'_>); 20] = [
        ("/", V::HTTP_11, &[]),
        ("http://b.test/", V::HTTP_11, &[]),
        ("/", V::HTTP_11, &[("host", "a.test"), ("host", "a.test")]),
        ("/", V::HTTP_11, &[("host", "")]),
        ("/", V::HTTP_11, &[("host", "a b")]),
        ("/", V::HTTP_11, &[("host", "a.test, b.test")]),
        ("/", V::HTTP_11, &[("host", "a.test/x")]),
        ("/", V::HTTP_11, &[("host", "user@a.test")]),
        ("/", V::HTTP_11, &[("host", "a.test:80a")]),
        ("/", V::HTTP_11, &[("host", "a.test:123456")]),
        ("/", V::HTTP_11, &[("host", ":80")]),
        ("/", V::HTTP_11, &[("host", "[::1")]),
        ("/", V::HTTP_11, &[("host", "[]:80")]),
        ("/", V::HTTP_11, &[("host", "[::1]x")]),
        ("/", V::HTTP_10, &[("host", "a b")]),
        ("http://user@b.test/", V::HTTP_11, &[("host", "a.test")]),
        ("ftp://b.test/", V::HTTP_11, &[("host", "a.test")]),
        ("b.test", V::HTTP_11, &[("host", "a.test")]),
        ("/", V::HTTP_2, &[]),
        ("http://b.test/", V::HTTP_2, &[("host", "a.test")]),
    ];
    for (target, version, fields) in table {
        assert_eq!(
            rejected("GET", target, version, fields),
            400,
            "{target} {fields:?}"
        );
    }
    assert_eq!(rejected("GET", "*", V::HTTP_11, &[("host", "a.test")]), 400);
}

#[test]
fn refuses_what_is_framed_in_two_ways() {
    let table: [(Version, Fields<'_>, u16); 9] = [
        (
            Version::HTTP_11,
            &[("content-length", "1"), ("transfer-encoding", "chunked")],
            400,
        ),
        (
            Version::HTTP_11,
            &[("content-length", "1"), ("content-length", "1")],
            400,
        ),
        (
            Version::HTTP_11,
            &[("content-length", "1"), ("content-length", "2")],
            400,
        ),
        (
            Version::HTTP_2,
            &[("content-length", "1"), ("content-length", "2")],
            400,
        ),
        (Version::HTTP_10, &[("transfer-encoding", "chunked")], 400),
        (Version::HTTP_2, &[("transfer-encoding", "chunked")], 400),
        (
            Version::HTTP_11,
            &[("transfer-encoding", "chunked, chunked")],
            400,
        ),
        (
            Version::HTTP_11,
            &[
                ("transfer-encoding", "gzip"),
                ("transfer-encoding", "chunked"),
            ],
            501,
        ),
        (Version::HTTP_11, &[("transfer-encoding", "xchunked")], 501),
    ];
    for (version, fields, status) in table {
        let mut all = vec![("host", "a.test")];
        all.extend_from_slice(fields);
        assert_eq!(
            rejected("POST", "/", version, &all),
            status,
            "{version:?} {fields:?}"
        );
    }
    assert!(fields_after(&[("transfer-encoding", " Chunked,")]).is_empty());
}

#[test]
fn refuses_methods_that_are_not_built() {
    let host = [("host", "a.test")];
    assert_eq!(
        rejected("CONNECT", "a.test:443", Version::HTTP_11, &host),
        501
    );
    let mut trace = Request::builder()
        .method("TRACE")
        .uri("/")
        .header("host", "a.test")
        .body(Full::<Bytes>::from("body"))
        .unwrap();
    let rejection = admit(&mut trace, LOCAL.parse().unwrap(), &RequestIds::new()).unwrap_err();
    assert_eq!(rejection.status, 400);
    admitted(request("TRACE", "/", Version::HTTP_11, &host)).unwrap();
}

#[test]
fn strips_what_concerns_the_connection() {
    let table: [(Fields<'_>, &[&str]); 12] = [
        (&[("accept", "*/*")], &["accept: */*"]),
        (&[("connection", "keep-alive")], &[]),
        (
            &[("connection", "close, X-A"), ("x-a", "1"), ("x-b", "2")],
            &["x-b: 2"],
        ),
        (
            &[
                ("connection", "x-a"),
                ("connection", " ,x-b ,"),
                ("x-a", "1"),
                ("x-b", "2"),
            ],
            &[],
        ),
        (
            &[
                ("connection", "host, content-length"),
                ("content-length", "0"),
            ],
            &["content-length: 0"],
        ),
        (&[("connection", "no token")], &[]),
        (
            &[
                ("keep-alive", "timeout=5"),
                ("proxy-connection", "keep-alive"),
            ],
            &[],
        ),
        (&[("te", "gzip")], &[]),
        (
            &[("te", "gzip, Trailers"), ("connection", "te")],
            &["te: trailers"],
        ),
        (&[("trailer", "x-sum")], &["trailer: x-sum"]),
        (
            &[
                ("connection", "upgrade, http2-settings"),
                ("upgrade", "h2c"),
                ("http2-settings", "x"),
            ],
            &[],
        ),
        (&[("upgrade", "websocket")], &[]),
    ];
    for (fields, expected) in table {
        assert_eq!(fields_after(fields), expected, "{fields:?}");
    }
}

#[test]
fn refuses_upgrades() {
    let fields = [
        ("host", "a.test"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
    ];
    assert_eq!(rejected("GET", "/", Version::HTTP_11, &fields), 501);
    let fields = [
        ("host", "a.test"),
        ("connection", "upgrade"),
        ("upgrade", "h2c, websocket"),
    ];
    assert_eq!(rejected("GET", "/", Version::HTTP_11, &fields), 501);
    // RFC 9110, 7.8: to be ignored from HTTP/1.0.
    let fields = [
        ("host", "a.test"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
    ];
    let request = admitted(request("GET", "/", Version::HTTP_10, &fields)).unwrap();
    assert!(!request.headers().contains_key(header::UPGRADE));
}

#[test]
fn answers_expectations() {
    assert!(fields_after(&[("expect", "100-Continue")]).is_empty());
    let fields = [("host", "a.test"), ("expect", "a miracle")];
    assert_eq!(rejected("PUT", "/", Version::HTTP_11, &fields), 417);
    admitted(request("PUT", "/", Version::HTTP_10, &fields)).unwrap();
}

#[test]
fn counts_forwards() {
    let after = |method, value| {
        let fields = [("host", "a.test"), ("max-forwards", value)];
        admitted(request(method, "/", Version::HTTP_11, &fields))
            .map(|request| {
                request.headers()["max-forwards"]
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .map_err(|rejection| rejection.status.as_u16())
    };
    assert_eq!(after("OPTIONS", "10"), Ok("9".to_owned()));
    assert_eq!(after("TRACE", "1"), Ok("0".to_owned()));
    assert_eq!(after("TRACE", "0"), Err(405));
    assert_eq!(after("OPTIONS", "x"), Err(400));
    assert_eq!(after("GET", "0"), Ok("0".to_owned()));
    let fields = [("host", "a.test"), ("max-forwards", "0")];
    let refused = admitted(request("OPTIONS", "/", Version::HTTP_11, &fields)).unwrap_err();
    // RFC 9110, 15.5.6, wants it in each 405.
    assert_eq!(refused.to_response(Version::HTTP_11).headers()["allow"], "");
}

#[test]
fn joins_the_cookies_of_http2() {
    let fields = [("cookie", "a=1"), ("cookie", "b=2; c=3")];
    let request = admitted(request("GET", "http://a.test/", Version::HTTP_2, &fields)).unwrap();
    let cookies: Vec<_> = request.headers().get_all("cookie").iter().collect();
    assert_eq!(cookies, ["a=1; b=2; c=3"]);
    assert_eq!(fields_after(&fields), ["cookie: a=1", "cookie: b=2; c=3"]);
}

#[test]
fn names_requests() {
    let id = |fields: Fields<'_>| {
        let mut all = vec![("host", "a.test")];
        all.extend_from_slice(fields);
        let request = admitted(request("GET", "/", Version::HTTP_11, &all)).unwrap();
        request.headers()[X_REQUEST_ID].to_str().unwrap().to_owned()
    };
    assert_eq!(id(&[("x-request-id", "mine")]), "mine");
    assert_eq!(id(&[]).len(), 36);
    // A client that names the field in `connection` gets a new id, as it asks for.
    assert_eq!(
        id(&[("x-request-id", "mine"), ("connection", "x-request-id")]).len(),
        36
    );
}

//! Properties: which there are, when, and in which bytes (ABI 3.3 and 10).

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Example, Kind, Origin, Proxy, ProxyBuilder, Reply};

use crate::{both_kinds, proxy, text};

both_kinds!(
    values_are_what_a_reverse_proxy_knows,
    times_and_sizes_are_right,
    a_failed_upstream_shows,
    a_local_response_shows,
    whole_maps_are_pairs,
    names_of_groups_are_no_values,
);

/// What a plugin reads of a property.
#[derive(Clone, Copy, Debug)]
enum Is<'a> {
    Text(&'a str),
    Int(i64),
    Bool(bool),
    /// Not there.
    None,
    /// Eight bytes that the test cannot know.
    Eight,
}

use Is::{Bool, Eight, Int, None as Absent, Text};

impl Is<'_> {
    fn check(self, path: &str, phase: &str, shown: Option<&String>) {
        let shown = shown.unwrap_or_else(|| panic!("{path} was not read {phase}"));
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        let expected = match self {
            Text(text) => hex(text.as_bytes()),
            Int(number) => hex(&number.to_le_bytes()),
            Bool(truth) => hex(&[u8::from(truth)]),
            Absent => "none".to_owned(),
            Eight => {
                assert_eq!(shown.len(), 16, "{path} {phase} is {shown}");
                return;
            }
        };
        assert_eq!(*shown, expected, "{path} {phase} is not {self:?}");
    }
}

/// What a plugin has read, by path.
type Read = BTreeMap<String, String>;

fn parse(shown: &str) -> Read {
    let pairs = shown.split(' ').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (path, value) = pair.split_once('=').expect("a path and a value");
            (path.to_owned(), value.to_owned())
        })
        .collect()
}

/// What was read in the request's headers callback, in the response's, and at the end.
fn phases(proxy: &Proxy, reply: &Reply) -> [Read; 3] {
    let line = proxy.wait_for_log(&["at the end: "]);
    let shown = line.split_once("at the end: ").unwrap().1;
    let at_end = parse(shown.split_once(';').unwrap().0);
    let header = |name| parse(&reply.header(name).unwrap());
    [header("x-at-request"), header("x-at-response"), at_end]
}

fn observe(kind: Kind) -> ProxyBuilder {
    proxy()
        .arg(Example::Observe.file(kind))
        .args(["--name", "observe", "--root-id", "the-root"])
}

fn number(hex: &str) -> i64 {
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    i64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

fn values_are_what_a_reverse_proxy_knows(kind: Kind) {
    let origin = Origin::start(|_| {
        Response::builder()
            .status(201)
            .header("x-origin", "here")
            .body(Bytes::from("created"))
            .unwrap()
    });
    let port = origin.url().rsplit(':').next().unwrap().to_owned();
    let upstream = format!("127.0.0.1:{port}");
    let upstream_port: i64 = port.parse().unwrap();
    // A name, so that it has to be resolved.
    let proxy = observe(kind)
        .args(["--upstream", &format!("http://localhost:{port}")])
        .start();
    let local = proxy.address().to_string();
    let local_port = i64::from(proxy.address().port());
    let table: &[(&str, [Is<'_>; 3])] = &[
        // (path, [request's headers callback, response's, end])
        ("request.path", [Text("/a/b?c=d"); 3]),
        ("request.url_path", [Text("/a/b"); 3]),
        ("request.query", [Text("c=d"); 3]),
        ("request.host", [Text(&local); 3]),
        ("request.scheme", [Text("http"); 3]),
        ("request.method", [Text("POST"); 3]),
        ("request.referer", [Absent; 3]),
        ("request.useragent", [Text("tester"); 3]),
        ("request.id", [Text("id-7"); 3]),
        ("request.protocol", [Text("HTTP/1.1"); 3]),
        ("request.headers.x-two", [Text("1,2"); 3]),
        ("request.headers.host", [Text(&local); 3]),
        ("request.headers.:path", [Text("/a/b?c=d"); 3]),
        ("request.headers.none", [Absent; 3]),
        ("request.size", [Int(5); 3]),
        ("request.time", [Eight; 3]),
        ("request.duration", [Absent, Absent, Eight]),
        ("response.code", [Absent, Int(201), Int(201)]),
        (
            "response.code_details",
            [Absent, Text("via_upstream"), Text("via_upstream")],
        ),
        ("response.flags", [Int(0); 3]),
        (
            "response.headers.x-origin",
            [Absent, Text("here"), Text("here")],
        ),
        (
            "response.headers.:status",
            [Absent, Text("201"), Text("201")],
        ),
        ("response.trailers.x", [Absent; 3]),
        ("response.grpc_status", [Absent, Int(2), Int(2)]),
        ("response.size", [Int(0), Int(0), Int(7)]),
        ("response.backend_latency", [Absent, Absent, Eight]),
        ("destination.address", [Text(&local); 3]),
        ("destination.port", [Int(local_port); 3]),
        ("source.port", [Eight; 3]),
        ("connection.id", [Eight; 3]),
        ("connection_id", [Eight; 3]),
        ("connection.mtls", [Bool(false); 3]),
        ("connection.requested_server_name", [Text(""); 3]),
        ("connection.tls_version", [Absent; 3]),
        (
            "upstream.address",
            [Absent, Text(&upstream), Text(&upstream)],
        ),
        (
            "upstream.port",
            [Absent, Int(upstream_port), Int(upstream_port)],
        ),
        ("upstream.local_port", [Absent, Eight, Eight]),
        ("upstream.request_attempt_count", [Int(0), Int(1), Int(1)]),
        (
            "upstream.transport_failure_reason",
            [Absent, Text(""), Text("")],
        ),
        ("plugin_name", [Text("observe"); 3]),
        ("plugin_root_id", [Text("the-root"); 3]),
        ("plugin_vm_id", [Text(""); 3]),
        ("xds.listener_direction", [Int(0); 3]),
        ("listener_direction", [Int(0); 3]),
        ("xds.node.id", [Text(""); 3]),
        ("node", [Text(""); 3]),
        ("metadata", [Text(""); 3]),
        ("metadata.filter_metadata.x.y", [Absent; 3]),
        ("upstream.none", [Absent; 3]),
        ("none", [Absent; 3]),
        ("request.path.none", [Absent; 3]),
    ];
    let paths: Vec<_> = table.iter().map(|(path, _)| *path).collect();
    let headers = [
        ("x-read", &*paths.join(" ")),
        ("x-two", "1"),
        ("x-two", "2"),
        ("user-agent", "tester"),
        ("x-request-id", "id-7"),
    ];
    let reply = proxy
        .client()
        .request("POST", "/a/b?c=d", &headers, "hello");
    assert_eq!(reply.status, 201);
    let read = phases(&proxy, &reply);
    let names = ["on the request", "on the response", "at the end"];
    for (path, expected) in table {
        for ((is, read), phase) in expected.iter().zip(&read).zip(names) {
            // The Rust SDK takes what is empty for what is not there.
            let is = match (kind, *is) {
                (Kind::Legacy, Text("")) => Absent,
                (_, is) => is,
            };
            is.check(path, phase, read.get(*path));
        }
    }
    assert_eq!(read[0]["connection.id"], read[2]["connection_id"]);
    assert_eq!(read[0]["request.time"], read[2]["request.time"]);
}

fn times_and_sizes_are_right(kind: Kind) {
    let origin = Origin::start(|request| Response::new(request.body.clone()));
    let proxy = observe(kind).args(["--upstream", &origin.url()]).start();
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_nanos()).unwrap()
    };
    let paths = "request.time request.duration request.total_size request.headers_bytes response.size \
                 response.total_size response.headers_bytes response.backend_latency";
    let before = now();
    let reply = proxy
        .client()
        .request("POST", "/", &[("x-read", paths)], vec![b'x'; 100_000]);
    let [at_request, at_response, at_end] = phases(&proxy, &reply);
    let after = now();
    assert_eq!(reply.body.len(), 100_000);

    let time = number(&at_request["request.time"]);
    // The clock that gives durations may differ from that of the day by a hair.
    let hair = 1_000_000;
    assert!(
        (before - hair..=after + hair).contains(&time),
        "{before} {time} {after}"
    );
    let took = number(&at_end["request.duration"]);
    let latency = number(&at_end["response.backend_latency"]);
    assert!(
        0 < latency && latency <= took && took <= after - before + hair,
        "{latency} {took}"
    );

    let heads = number(&at_request["request.headers_bytes"]);
    assert!(heads > paths.len() as i64);
    assert_eq!(number(&at_end["request.total_size"]), heads + 100_000);
    assert_eq!(at_response["response.size"], at_request["response.size"]);
    assert_eq!(number(&at_end["response.size"]), 100_000);
    let heads = number(&at_end["response.headers_bytes"]);
    assert_eq!(number(&at_end["response.total_size"]), heads + 100_000);
}

fn a_failed_upstream_shows(kind: Kind) {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = unused.local_addr().unwrap().to_string();
    drop(unused);
    let proxy = observe(kind)
        .args(["--upstream", &format!("http://{address}")])
        .start();
    let table = [
        ("response.code", Int(503)),
        ("response.flags", Int(1 << 5)),
        ("response.grpc_status", Int(14)),
        ("response.backend_latency", Absent),
        ("upstream.address", Text(&address)),
        ("upstream.local_address", Absent),
        ("upstream.transport_failure_reason", Text("no connection")),
    ];
    let paths = table.map(|(path, _)| path).join(" ");
    let reply = proxy.client().get("/", &[("x-read", &paths)]);
    let [_, at_response, at_end] = phases(&proxy, &reply);
    for (path, is) in table {
        is.check(path, "on the response", at_response.get(path));
        is.check(path, "at the end", at_end.get(path));
    }
}

/// No upstream was asked: there is nothing to say about one.
fn a_local_response_shows(kind: Kind) {
    let directory = std::env::temp_dir().join(format!(
        "proxy-wasi-properties-{kind:?}-{}",
        std::process::id()
    ));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("chain.yaml");
    let yaml = format!(
        "upstream: http://127.0.0.1:9\nplugins:\n- {{name: observe, file: {}}}\n\
         - {{name: auth, file: {}, configuration: 'alice=wonderland'}}\n",
        text(&Example::Observe.file(kind)),
        text(&Example::Auth.file(kind)),
    );
    std::fs::write(&file, yaml).unwrap();
    let proxy = proxy().arg("--config").arg(&file).start();
    std::fs::remove_dir_all(&directory).unwrap();
    let table = [
        ("response.code", Int(401)),
        ("upstream.address", Absent),
        ("upstream.request_attempt_count", Int(0)),
        ("upstream.transport_failure_reason", Absent),
    ];
    let paths = table.map(|(path, _)| path).join(" ");
    let reply = proxy.client().get("/", &[("x-read", &paths)]);
    let [_, at_response, _] = phases(&proxy, &reply);
    for (path, is) in table {
        is.check(path, "on the response", at_response.get(path));
    }
}

fn whole_maps_are_pairs(kind: Kind) {
    let proxy = observe(kind).start();
    let reply = proxy.client().get("/p", &[("x-read", "request.headers")]);
    let [at_request, ..] = phases(&proxy, &reply);
    let shown = &at_request["request.headers"];
    // The number of entries, then the length of the first name, which is `:authority`.
    assert!(shown.starts_with("060000000a000000"), "{shown}");
    for name in [
        ":authority",
        ":path",
        ":method",
        ":scheme",
        "x-read",
        "x-request-id",
    ] {
        let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(shown.contains(&hex), "no {name} in {shown}");
    }
}

fn names_of_groups_are_no_values(kind: Kind) {
    let proxy = observe(kind).start();
    let groups = [
        "request",
        "response",
        "source",
        "connection",
        "upstream",
        "xds",
    ];
    let reply = proxy.client().get("/", &[("x-read", &groups.join(" "))]);
    let [at_request, ..] = phases(&proxy, &reply);
    for group in groups {
        assert_eq!(at_request[group], "SerializationFailure", "{group}");
    }
}

/// The first plugin sets it and hides that from the second, which is of the other kind.
#[test]
fn what_a_plugin_sets_later_ones_read() {
    let directory = std::env::temp_dir().join(format!("proxy-wasi-set-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    for (at, kinds) in [[Kind::Legacy, Kind::Wit], [Kind::Wit, Kind::Legacy]]
        .iter()
        .enumerate()
    {
        let file = directory.join(format!("{at}.yaml"));
        let [first, second] = kinds.map(|kind| Example::Observe.file(kind));
        let yaml = format!(
            "plugins:\n- {{name: first, file: {}}}\n- {{name: second, file: {}}}\n",
            text(&first),
            text(&second)
        );
        std::fs::write(&file, yaml).unwrap();
        let proxy = proxy().arg("--config").arg(&file).start();
        let client = proxy.client();
        let set = [("x-set", "verdict=good"), ("x-read", "verdict")];
        let reply = client.get("/", &set);
        assert_eq!(
            reply.header("x-at-request").as_deref(),
            // The response path is the reverse, so the second has written first.
            Some("verdict=676f6f64, verdict=676f6f64")
        );
        for plugin in ["plugin=\"first\"", "plugin=\"second\""] {
            proxy.wait_for_log(&["at the end: verdict=676f6f64;", plugin]);
        }
        // It ends with its stream.
        let reply = client.get("/", &[("x-read", "verdict")]);
        assert_eq!(
            reply.header("x-at-request").as_deref(),
            Some("verdict=none, verdict=none")
        );
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

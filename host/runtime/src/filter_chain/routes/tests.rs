use std::path::Path;

use super::*;
use crate::config::Settings;
use crate::upstream::Trust;

/// The routes of a configuration with the clusters `a`, `b` and `c`.
fn routes(text: &str) -> Routes {
    let clusters =
        ["a", "b", "c"].map(|name| format!("- {{name: {name}, url: 'http://{name}:1'}}"));
    let text = format!("clusters:\n{}\n{text}", clusters.join("\n"));
    let settings = Settings::parse(Path::new("proxy.yaml"), &text).unwrap();
    let config = Config::resolve(settings).unwrap();
    let cluster = |cluster| Arc::new(Cluster::new(cluster, &Trust::default()).unwrap());
    let clusters: Vec<_> = config.clusters.iter().map(cluster).collect();
    Routes::new(&config, &clusters)
}

fn request(path: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::builder().uri(path).body(()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

fn chosen<'a>(routes: &'a Routes, request: &Request<()>) -> Option<&'a Rc<Route>> {
    routes.choose(request.headers(), request.uri().path_and_query())
}

fn cluster(routes: &Routes, path: &str, headers: &[(&'static str, &str)]) -> Option<String> {
    let route = chosen(routes, &request(path, headers))?;
    Some(route.cluster()?.name().to_owned())
}

#[test]
fn the_first_route_that_matches_counts() {
    let routes = routes(
        "routes:\n\
         - {match: {authority: one.example, path_prefix: /x}, cluster: a}\n\
         - {match: {path_prefix: /x}, cluster: b}\n\
         - {match: {headers: [{name: X-Kind, value: new}, {name: x-other}]}, cluster: c}",
    );
    type Case = (
        &'static str,
        &'static [(&'static str, &'static str)],
        Option<&'static str>,
    );
    let table: &[Case] = &[
        ("/x", &[("host", "one.example")], Some("a")),
        ("/x/y?z", &[("host", "ONE.example:8080")], Some("a")),
        ("/x", &[("host", "two.example")], Some("b")),
        ("/x", &[], Some("b")),
        ("/xy", &[("host", "one.example")], None),
        ("/", &[("x-kind", "new"), ("x-other", "")], Some("c")),
        (
            "/",
            &[("x-kind", "old"), ("x-kind", "new"), ("x-other", "1")],
            Some("c"),
        ),
        ("/", &[("x-kind", "new")], None),
        ("/", &[("x-kind", "newer"), ("x-other", "1")], None),
    ];
    for (path, headers, expected) in table {
        assert_eq!(
            cluster(&routes, path, headers).as_deref(),
            *expected,
            "{path} {headers:?}"
        );
    }
}

#[test]
fn authorities() {
    let table = [
        ("example.com", "example.com", true),
        ("Example.com", "eXample.com:80", true),
        ("example.com:80", "example.com:80", true),
        ("example.com:80", "example.com", false),
        ("example.com", "www.example.com", false),
        ("'*.example.com'", "www.example.com", true),
        ("'*.example.com'", "a.b.example.com:1", true),
        ("'*.example.com'", "example.com", false),
        ("'*.example.com'", ".example.com", false),
        ("'*.example.com:8080'", "www.example.com:8080", true),
        ("'*.example.com:8080'", "www.example.com:9", false),
        ("'[::1]'", "[::1]:80", true),
        ("'[::1]'", "[::1]", true),
    ];
    for (pattern, host, expected) in table {
        let routes = routes(&format!(
            "routes: [{{match: {{authority: {pattern}}}, cluster: a}}]"
        ));
        let found = cluster(&routes, "/", &[("host", host)]);
        assert_eq!(found.is_some(), expected, "{pattern} {host}");
    }
}

#[test]
fn prefixes_are_replaced() {
    let table = [
        ("/api", "/", "/api", "/"),
        ("/api", "/", "/api/", "/"),
        ("/api/", "/", "/api/x?y=/api", "/x?y=/api"),
        ("/api", "/", "/api?q", "/?q"),
        ("/api", "/v2/", "/api/x", "/v2/x"),
        ("/api", "/v2", "/api", "/v2"),
        ("/", "/v2", "/", "/v2/"),
        ("/", "/v2", "/x/y", "/v2/x/y"),
    ];
    for (prefix, new, path, expected) in table {
        let routes = routes(&format!(
            "routes: [{{match: {{path_prefix: {prefix}}}, cluster: a, rewrite: {{path_prefix: {new}}}}}]"
        ));
        let mut request = request(path, &[]);
        let route = Rc::clone(chosen(&routes, &request).unwrap());
        route.apply(&mut request);
        assert_eq!(request.uri(), expected, "{prefix} {new} {path}");
    }
}

#[test]
fn a_path_that_has_changed_since_stays() {
    let routes =
        routes("routes: [{match: {path_prefix: /api}, cluster: a, rewrite: {path_prefix: /v2}}]");
    let route = Rc::clone(chosen(&routes, &request("/api", &[])).unwrap());
    let mut changed = request("/other?q", &[]);
    route.apply(&mut changed);
    assert_eq!(changed.uri(), "/other?q");
}

#[test]
fn hosts() {
    let host = |text: &str| {
        let mut request = request("/", &[("host", "client.example")]);
        let routes = routes(text);
        let route = Rc::clone(chosen(&routes, &request).unwrap());
        route.apply(&mut request);
        let host = request.headers().get(header::HOST);
        host.map(|host| host.to_str().unwrap().to_owned())
    };
    assert_eq!(
        host("routes: [{cluster: a}]").as_deref(),
        Some("client.example")
    );
    // The upstream client fills it in.
    assert_eq!(host("routes: [{cluster: a}]\nrewrite_host: true"), None);
    assert_eq!(
        host("routes: [{cluster: a, rewrite: {authority: 'b:1'}}]\nrewrite_host: true").as_deref(),
        Some("b:1")
    );
}

#[test]
fn a_catch_all_alone_is_not_looked_for() {
    assert!(routes("routes: [{cluster: a}]").only.is_some());
    assert!(routes("upstream: b").only.is_some());
    assert!(routes("").only.is_some());
    let two = routes("routes: [{match: {path_prefix: /x}, cluster: a}, {cluster: b}]");
    assert!(two.only.is_none());
    assert_eq!(cluster(&two, "/y", &[]).as_deref(), Some("b"));
}

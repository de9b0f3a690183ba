//! What is answered to which request.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::Full;

use super::{Phase, Subject};
use crate::metrics::exposition;

const TEXT: &str = "text/plain; charset=utf-8";

const INDEX: &str = "\
/         this list
/metrics  counters, gauges and histograms, in Prometheus' text format
/ready    200 while requests are taken, else 503
";

/// Answers a request. Its body, if it has one, is not looked at.
pub(super) fn respond<B>(subject: &Subject, request: &Request<B>) -> Response<Full<Bytes>> {
    let mut response = answer(subject, request);
    let headers = response.headers_mut();
    // All of it is about this moment.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn answer<B>(subject: &Subject, request: &Request<B>) -> Response<Full<Bytes>> {
    let hosts = request.headers().get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return plain(
            StatusCode::BAD_REQUEST,
            "a request has one `host`\n".to_owned(),
        );
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "only GET and HEAD are possible here\n".to_owned(),
        );
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/" => plain(StatusCode::OK, INDEX.to_owned()),
        "/metrics" => metrics(subject),
        "/ready" => match subject.readiness.get() {
            Phase::Ready => plain(StatusCode::OK, "ready\n".to_owned()),
            Phase::Starting => plain(StatusCode::SERVICE_UNAVAILABLE, "starting\n".to_owned()),
            Phase::Draining => plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned()),
        },
        _ => plain(
            StatusCode::NOT_FOUND,
            "there is no such page; `/` lists what there is\n".to_owned(),
        ),
    }
}

fn metrics(subject: &Subject) -> Response<Full<Bytes>> {
    match exposition::text(&subject.metrics, &*subject.state.metrics) {
        Ok(text) => with_type(StatusCode::OK, exposition::CONTENT_TYPE, text),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "metrics could not be written; the log says why\n".to_owned(),
            )
        }
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    with_type(status, TEXT, text)
}

fn with_type(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn subject() -> Subject {
        Subject {
            metrics: Default::default(),
            state: Default::default(),
            readiness: Default::default(),
        }
    }

    fn ask(subject: &Subject, method: Method, path: &str) -> (u16, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "a")
            .body(())
            .unwrap();
        let response = respond(subject, &request);
        let status = response.status().as_u16();
        let body = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(response.into_body().collect())
            .unwrap();
        (status, String::from_utf8(body.to_bytes().to_vec()).unwrap())
    }

    #[test]
    fn pages() {
        let subject = subject();
        assert_eq!(ask(&subject, Method::GET, "/"), (200, INDEX.to_owned()));
        assert_eq!(ask(&subject, Method::GET, "/?x=/metrics").0, 200);
        let (status, metrics) = ask(&subject, Method::GET, "/metrics?all");
        assert_eq!(status, 200);
        assert!(metrics.contains("\nproxy_wasi_workers 0\n"), "{metrics}");
        for path in ["/metrics/", "/Metrics", "//", "/..", "/quitquitquit"] {
            assert_eq!(ask(&subject, Method::GET, path).0, 404, "{path}");
        }
    }

    #[test]
    fn readiness_follows_the_proxy() {
        let subject = subject();
        for (phase, status) in [
            (Phase::Starting, 503),
            (Phase::Ready, 200),
            (Phase::Draining, 503),
        ] {
            subject.readiness.set(phase);
            assert_eq!(subject.readiness.get(), phase);
            assert_eq!(ask(&subject, Method::GET, "/ready").0, status);
        }
    }

    #[test]
    fn only_reading_is_possible() {
        let subject = subject();
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
            Method::PATCH,
        ] {
            assert_eq!(ask(&subject, method, "/metrics").0, 405);
        }
    }

    #[test]
    fn a_request_has_one_host() {
        let with = |hosts: &[&str], version| {
            let mut request = Request::builder().version(version);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            respond(&subject(), &request.body(()).unwrap())
                .status()
                .as_u16()
        };
        assert_eq!(with(&["a"], Version::HTTP_11), 200);
        assert_eq!(with(&[], Version::HTTP_10), 200);
        assert_eq!(with(&[], Version::HTTP_11), 400);
        assert_eq!(with(&["a", "a"], Version::HTTP_11), 400);
    }
}

//! A stream with a filter chain made of closures, and a record of all that happens.

use bytes::Bytes;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Scheme};
use http::{Method, StatusCode};
use proxy_wasi_stream::{
    Action, Callback, DataAction, Direction, Effect, Filter, FilterIndex, HeaderAction,
    HeadersPause, Interest, Limits, LocalResponse, RequestHead, ResponseHead, Stream,
    TrailersAction,
};

/// What a filter does in a callback.
pub(crate) type Script = Box<dyn FnMut(&mut Stream, FilterIndex, Callback) -> Action>;

/// A stream, its filters, and what has happened.
pub(crate) struct Chain {
    pub(crate) stream: Stream,
    scripts: Vec<Script>,
    log: Vec<String>,
}

impl Chain {
    pub(crate) fn new(filters: Vec<(Filter, Script)>) -> Self {
        Self::with_limits(filters, Limits::default())
    }

    pub(crate) fn with_limits(filters: Vec<(Filter, Script)>, limits: Limits) -> Self {
        let (filters, scripts): (Vec<_>, Vec<_>) = filters.into_iter().unzip();
        Self {
            stream: Stream::new(filters, limits),
            scripts,
            log: Vec::new(),
        }
    }

    /// Does something to the stream, then everything that follows. Returns what has happened since last asked.
    pub(crate) fn tell(&mut self, event: impl FnOnce(&mut Stream)) -> Vec<String> {
        event(&mut self.stream);
        while let Some(effect) = self.stream.poll_effect() {
            self.note(line(&self.stream, &effect));
            if let Effect::Callback(filter, callback) = effect {
                let action = match self.scripts.get_mut(filter.0) {
                    Some(script) => script(&mut self.stream, filter, callback),
                    None => go_on(callback),
                };
                self.stream.handle_action(filter, action);
            }
        }
        std::mem::take(&mut self.log)
    }

    /// Notes a line. Pieces of a body that go out one after the other make one: where they are cut is nobody's business.
    fn note(&mut self, line: String) {
        let arrow = line
            .get(..3)
            .filter(|start| matches!(*start, "> `" | "< `"));
        let last = self.log.last_mut().filter(|last| last.ends_with('`'));
        match (arrow, last) {
            (Some(arrow), Some(last)) if last.starts_with(arrow) => {
                last.pop();
                last.push_str(line.get(3..).unwrap_or_default());
            }
            _ => self.log.push(line),
        }
    }

    pub(crate) fn get(&mut self) -> Vec<String> {
        self.tell(|stream| stream.handle_request_head(request("GET"), true))
    }

    pub(crate) fn post(&mut self) -> Vec<String> {
        self.tell(|stream| stream.handle_request_head(request("POST"), false))
    }

    pub(crate) fn data(&mut self, bytes: &'static str) -> Vec<String> {
        self.tell(|stream| stream.handle_request_data(bytes.into(), false))
    }

    pub(crate) fn last_data(&mut self, bytes: &'static str) -> Vec<String> {
        self.tell(|stream| stream.handle_request_data(bytes.into(), true))
    }

    pub(crate) fn trailers(&mut self) -> Vec<String> {
        self.tell(|stream| stream.handle_request_trailers(fields(&[("t", "1")])))
    }

    pub(crate) fn response(&mut self, end_of_stream: bool) -> Vec<String> {
        self.tell(|stream| stream.handle_response_head(response(200, &[]), end_of_stream))
    }

    pub(crate) fn response_data(&mut self, bytes: &'static str) -> Vec<String> {
        self.tell(|stream| stream.handle_response_data(bytes.into(), false))
    }

    pub(crate) fn last_response_data(&mut self, bytes: &'static str) -> Vec<String> {
        self.tell(|stream| stream.handle_response_data(bytes.into(), true))
    }

    pub(crate) fn response_trailers(&mut self) -> Vec<String> {
        self.tell(|stream| stream.handle_response_trailers(fields(&[("t", "1")])))
    }

    pub(crate) fn resume(&mut self, filter: usize, direction: Direction) -> Vec<String> {
        self.tell(|stream| stream.resume(FilterIndex(filter), direction))
    }

    pub(crate) fn end(&mut self) -> Vec<String> {
        self.tell(Stream::end)
    }
}

/// A filter with interest in everything, and what it does.
pub(crate) fn filter(
    script: impl FnMut(&mut Stream, FilterIndex, Callback) -> Action + 'static,
) -> (Filter, Script) {
    filter_with(Interest::ALL, script)
}

pub(crate) fn filter_with(
    interest: Interest,
    script: impl FnMut(&mut Stream, FilterIndex, Callback) -> Action + 'static,
) -> (Filter, Script) {
    let filter = Filter {
        interest,
        on_headers_pause: HeadersPause::StopAll,
    };
    (filter, Box::new(script))
}

/// Makes a plain pause of a filter's headers callbacks one that holds only the head.
pub(crate) fn stop_iteration((mut filter, script): (Filter, Script)) -> (Filter, Script) {
    filter.on_headers_pause = HeadersPause::StopIteration;
    (filter, script)
}

/// A filter that lets everything go on.
pub(crate) fn passive() -> (Filter, Script) {
    filter(|_, _, callback| go_on(callback))
}

/// A filter that gives these answers, then "continue".
pub(crate) fn answers(actions: impl IntoIterator<Item = Action> + 'static) -> (Filter, Script) {
    let mut actions: std::collections::VecDeque<_> = actions.into_iter().collect();
    filter(move |_, _, callback| match callback {
        Callback::StreamEnd => Action::Done,
        _ => actions.pop_front().unwrap_or(go_on(callback)),
    })
}

pub(crate) const CONTINUE_HEAD: Action = Action::Headers(HeaderAction::Continue);
pub(crate) const PAUSE_HEAD: Action = Action::Headers(HeaderAction::Pause);
pub(crate) const CONTINUE_BODY: Action = Action::Data(DataAction::Continue);
pub(crate) const PAUSE_BODY: Action = Action::Data(DataAction::PauseAndBuffer);
pub(crate) const PAUSE_WATERMARK: Action = Action::Data(DataAction::PauseAndWatermark);
pub(crate) const PAUSE_NO_BUFFER: Action = Action::Data(DataAction::PauseNoBuffer);
pub(crate) const CONTINUE_TRAILERS: Action = Action::Trailers(TrailersAction::Continue);
pub(crate) const PAUSE_TRAILERS: Action = Action::Trailers(TrailersAction::Pause);

/// The "continue" of a callback.
pub(crate) fn go_on(callback: Callback) -> Action {
    match callback {
        Callback::RequestHeaders { .. } | Callback::ResponseHeaders { .. } => CONTINUE_HEAD,
        Callback::RequestBody { .. } | Callback::ResponseBody { .. } => CONTINUE_BODY,
        Callback::RequestTrailers { .. } | Callback::ResponseTrailers { .. } => CONTINUE_TRAILERS,
        Callback::StreamEnd => Action::Done,
    }
}

/// The "pause" of a callback: what a Proxy-Wasm plugin gets that returns 1.
pub(crate) fn pause(callback: Callback) -> Action {
    match callback {
        Callback::RequestHeaders { .. } | Callback::ResponseHeaders { .. } => PAUSE_HEAD,
        Callback::RequestBody { .. } | Callback::ResponseBody { .. } => PAUSE_BODY,
        Callback::RequestTrailers { .. } | Callback::ResponseTrailers { .. } => PAUSE_TRAILERS,
        Callback::StreamEnd => Action::Done,
    }
}

pub(crate) fn is_request_headers(callback: Callback) -> bool {
    matches!(callback, Callback::RequestHeaders { .. })
}

pub(crate) fn is_response_headers(callback: Callback) -> bool {
    matches!(callback, Callback::ResponseHeaders { .. })
}

pub(crate) fn fields(entries: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for &(name, value) in entries {
        fields.append(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    fields
}

/// A request for `/x` of `example.com` without other fields.
pub(crate) fn request(method: &str) -> RequestHead {
    RequestHead {
        method: Method::from_bytes(method.as_bytes()).ok(),
        scheme: Some(Scheme::HTTP),
        path: Some(PathAndQuery::from_static("/x")),
        headers: HeaderMap::from_iter([(HOST, HeaderValue::from_static("example.com"))]),
    }
}

pub(crate) fn response(status: u16, entries: &[(&'static str, &'static str)]) -> ResponseHead {
    ResponseHead {
        status: StatusCode::from_u16(status).ok(),
        headers: fields(entries),
    }
}

pub(crate) fn local_response(status: u16, body: &'static str) -> LocalResponse {
    LocalResponse {
        status: StatusCode::from_u16(status).unwrap_or_default(),
        body: Bytes::from_static(body.as_bytes()),
        ..LocalResponse::default()
    }
}

/// All the bytes that a filter can see.
pub(crate) fn seen(stream: &Stream, filter: FilterIndex, direction: Direction) -> String {
    match stream.body_read(filter, direction, 0, usize::MAX) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => error.to_string(),
    }
}

/// Returns the bytes that went out in a direction (`>` or `<`).
pub(crate) fn sent(log: &[String], arrow: char) -> String {
    let quoted = |line: &String| {
        Some(
            line.strip_prefix(arrow)?
                .strip_prefix(" `")?
                .split_once('`')?
                .0
                .to_owned(),
        )
    };
    log.iter().filter_map(quoted).collect()
}

/// An effect in a line.
fn line(stream: &Stream, effect: &Effect) -> String {
    let end = |end_of_stream: &bool| if *end_of_stream { " end" } else { "" };
    match effect {
        Effect::Callback(filter, callback) => {
            format!("{filter} {}", callback_text(stream, *filter, *callback))
        }
        Effect::RequestHead {
            head,
            end_of_stream,
        } => {
            let method = head.method.as_ref().map_or("-", Method::as_str);
            format!(
                "> {method}{}{}",
                map_text(&head.headers),
                end(end_of_stream)
            )
        }
        Effect::RequestData(bytes, end_of_stream) => {
            format!(
                "> `{}`{}",
                String::from_utf8_lossy(bytes),
                end(end_of_stream)
            )
        }
        Effect::RequestTrailers(trailers) => format!("> trailers{}", map_text(trailers)),
        Effect::ResponseHead {
            head,
            end_of_stream,
        } => {
            let status = head.status.map_or(0, |status| status.as_u16());
            format!(
                "< {status}{}{}",
                map_text(&head.headers),
                end(end_of_stream)
            )
        }
        Effect::ResponseData(bytes, end_of_stream) => {
            format!(
                "< `{}`{}",
                String::from_utf8_lossy(bytes),
                end(end_of_stream)
            )
        }
        Effect::ResponseTrailers(trailers) => format!("< trailers{}", map_text(trailers)),
        Effect::AbandonUpstream => "abandon upstream".into(),
        Effect::Reset(reason) => format!("reset: {reason}"),
    }
}

fn callback_text(stream: &Stream, filter: FilterIndex, callback: Callback) -> String {
    let end = |end_of_stream| if end_of_stream { " end" } else { "" };
    match callback {
        Callback::RequestHeaders {
            count,
            end_of_stream,
        } => format!("request headers {count}{}", end(end_of_stream)),
        Callback::RequestBody {
            size,
            end_of_stream,
        } => {
            let seen = seen(stream, filter, Direction::Request);
            format!("request body {size} `{seen}`{}", end(end_of_stream))
        }
        Callback::RequestTrailers { count } => format!("request trailers {count}"),
        Callback::ResponseHeaders {
            count,
            end_of_stream,
        } => {
            format!("response headers {count}{}", end(end_of_stream))
        }
        Callback::ResponseBody {
            size,
            end_of_stream,
        } => {
            let seen = seen(stream, filter, Direction::Response);
            format!("response body {size} `{seen}`{}", end(end_of_stream))
        }
        Callback::ResponseTrailers { count } => format!("response trailers {count}"),
        Callback::StreamEnd => "stream end".into(),
    }
}

/// The fields but for `host`.
fn map_text(map: &HeaderMap) -> String {
    let fields = map.iter().filter(|(name, _)| *name != HOST);
    fields
        .map(|(name, value)| format!(" {name}={}", String::from_utf8_lossy(value.as_bytes())))
        .collect()
}

//! Makes the callouts that its configuration and the paths of requests say: the twin of `legacy-callout`, whose page says
//! what.

mod grpc;

use std::time::Duration;

use proxy_wasi_sdk::prelude::*;
use proxy_wasi_sdk::{
    Callout, CalloutId, CalloutResponse, ErrorCode, FieldValue, GrpcEvent, LocalResponse, Method,
};

use crate::grpc::GrpcStream;

proxy_wasi_sdk::plugin!(Callouts);

/// Above what a test takes that passes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Callouts {
    at_tick: Option<String>,
}

impl Plugin for Callouts {
    type Stream = CalloutsStream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS;

    fn configure(root: &Root, configuration: &[u8]) -> Result<Self> {
        let mut plugin = Self { at_tick: None };
        for (key, cluster) in std::str::from_utf8(configuration)?
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            match key {
                "configure" => {
                    root.send_callout(question(cluster, "/root", None, PATIENCE))?;
                }
                "tick" => {
                    plugin.at_tick = Some(cluster.to_owned());
                    root.set_tick_period(Some(Duration::from_millis(1)))?;
                }
                _ => return Err(format!("unknown key `{key}`").into()),
            }
        }
        Ok(plugin)
    }

    fn stream(&mut self) -> CalloutsStream {
        CalloutsStream::default()
    }

    fn on_tick(&mut self, root: &Root) -> Result<()> {
        root.set_tick_period(None)?;
        if let Some(cluster) = self.at_tick.take() {
            root.send_callout(question(&cluster, "/root", None, PATIENCE))?;
        }
        Ok(())
    }

    fn on_callout_response(
        &mut self,
        _root: &Root,
        _id: CalloutId,
        response: Result<CalloutResponse, ErrorCode>,
    ) -> Result<()> {
        info!("root: {}", outcome(&response));
        Ok(())
    }
}

#[derive(Default)]
struct CalloutsStream {
    grpc: GrpcStream,
}

impl HttpStream for CalloutsStream {
    type Plugin = Callouts;

    fn on_request_headers(
        &mut self,
        _plugin: &mut Callouts,
        exchange: &Exchange<'_>,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let request = exchange.request();
        let path = request.path()?.unwrap_or_default();
        let words: Vec<&str> = path.split('/').skip(1).collect();
        let header = |name| -> Result<Option<String>> {
            let value = request.headers().get(name)?;
            Ok(value.map(|value| value.to_string_lossy().into_owned()))
        };
        let started = match *words.as_slice() {
            ["check", cluster, ref rest @ ..] => {
                let question = header("x-question")?;
                let timeout = header("x-timeout")?.and_then(|timeout| timeout.parse().ok());
                let timeout = timeout.map_or(PATIENCE, Duration::from_millis);
                let path = format!("/{}", rest.join("/"));
                let callout = self::question(cluster, &path, question.as_deref(), timeout);
                exchange.send_callout(callout)
            }
            ["fire", cluster] => {
                let asked = exchange.send_callout(question(cluster, "/fire", None, PATIENCE));
                exchange.respond(LocalResponse::new(200).body("fired"))?;
                asked
            }
            ["unary", cluster, text] => grpc::call(exchange, cluster, text),
            ["stream", cluster, texts] => self.grpc.open(exchange, cluster, texts, false)?,
            ["cancel", cluster] => self.grpc.open(exchange, cluster, "a", true)?,
            _ => return Ok(HeaderAction::Continue),
        };
        if let Err(refused) = started {
            let body = format!("refused: {:?}", refused.reason());
            exchange.respond(LocalResponse::new(500).body(body))?;
        }
        Ok(HeaderAction::Pause)
    }

    fn on_callout_response(
        &mut self,
        _plugin: &mut Callouts,
        exchange: &Exchange<'_>,
        _id: CalloutId,
        response: Result<CalloutResponse, ErrorCode>,
    ) -> Result<()> {
        let outcome = outcome(&response);
        if outcome.starts_with("200 ") {
            exchange.request().headers().set("x-answer", &outcome)?;
            exchange.resume_request();
        } else {
            let status = if response.is_ok() { 403 } else { 503 };
            exchange.respond(LocalResponse::new(status).body(outcome))?;
        }
        Ok(())
    }

    fn on_grpc_event(
        &mut self,
        _plugin: &mut Callouts,
        exchange: &Exchange<'_>,
        id: CalloutId,
        event: GrpcEvent,
    ) -> Result<()> {
        if let Some(answer) = self.grpc.heard(exchange.root(), id, event)? {
            exchange.respond(LocalResponse::new(200).body(answer))?;
        }
        Ok(())
    }
}

fn question(cluster: &str, path: &str, body: Option<&str>, timeout: Duration) -> Callout {
    let callout = Callout::new(cluster, "callout.example", path)
        .header("x-from", "plugin")
        .timeout(timeout);
    match body {
        Some(body) => callout
            .method(Method::Post)
            .body(body)
            .trailer("x-sum", "1"),
        None => callout,
    }
}

fn outcome(response: &Result<CalloutResponse, ErrorCode>) -> String {
    let Ok(response) = response else {
        return "no answer".to_owned();
    };
    let text = |value: Option<&FieldValue>| {
        value.map_or_else(String::new, |value| value.to_string_lossy().into_owned())
    };
    let (headers, trailers, body) = (response.headers(), response.trailers(), response.body());
    format!(
        "{} {} {} {}",
        response.status().unwrap_or_default(),
        text(headers.get("x-kind")),
        String::from_utf8_lossy(&body),
        text(trailers.get("x-sum"))
    )
}

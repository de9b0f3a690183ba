//! Makes the callouts that its configuration and the paths of requests say. `wit-callout` is its twin.
//!
//! The configuration is words: `configure=CLUSTER` and `tick=CLUSTER` have the root context call `/root` there when it is
//! configured, and at the first tick. It logs `root: OUTCOME`. Requests with these paths are held; the others pass:
//!
//! - `/check/CLUSTER/PATH`: asks `PATH` there, with the request's `x-question` as body and within `x-timeout`
//!   milliseconds. The answer 200 lets the request pass, with `x-answer: OUTCOME`; anything else is answered 403, no
//!   answer 503, a refusal 500, each with the outcome.
//! - `/fire/CLUSTER`: asks, and answers at once.
//! - `/unary/CLUSTER/TEXT`, `/stream/CLUSTER/TEXT,TEXT`, `/cancel/CLUSTER`: see `grpc`.
//!
//! An outcome is the answer's status, `x-kind` field, body and `x-sum` trailer.

mod grpc;

use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, Status};

use crate::grpc::GrpcStream;

/// What the proxy runs first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Callouts::default()));
    }}
}

/// Above what a test takes that passes.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Callouts {
    at_tick: Option<String>,
}

impl Callouts {
    fn call(&self, cluster: &str) {
        if let Err(status) = ask(self, cluster, "/root", None, PATIENCE) {
            log::error!("root: refused {status:?}");
        }
    }
}

impl RootContext for Callouts {
    fn on_vm_start(&mut self, vm_configuration_size: usize) -> bool {
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
        if vm_configuration_size > 0 {
            let cluster = self.get_vm_configuration().unwrap_or_default();
            self.call(&String::from_utf8_lossy(&cluster));
        }
        true
    }

    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        for (key, cluster) in String::from_utf8_lossy(&configuration)
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            match key {
                "configure" => self.call(cluster),
                "tick" => {
                    self.at_tick = Some(cluster.to_owned());
                    self.set_tick_period(Duration::from_millis(1));
                }
                _ => return false,
            }
        }
        true
    }

    fn on_tick(&mut self) {
        self.set_tick_period(Duration::ZERO);
        if let Some(cluster) = self.at_tick.take() {
            self.call(&cluster);
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(CalloutsStream::default()))
    }
}

impl Context for Callouts {
    fn on_http_call_response(
        &mut self,
        _token: u32,
        headers: usize,
        _body: usize,
        _trailers: usize,
    ) {
        log::info!("root: {}", outcome(self, headers));
    }
}

#[derive(Default)]
struct CalloutsStream {
    grpc: GrpcStream,
}

impl CalloutsStream {
    fn respond(&self, status: u32, body: &str) {
        self.send_http_response(status, vec![], Some(body.as_bytes()));
    }
}

impl HttpContext for CalloutsStream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        let words: Vec<&str> = path.split('/').skip(1).collect();
        let started = match *words.as_slice() {
            ["check", cluster, ref rest @ ..] => {
                let question = self.get_http_request_header("x-question");
                let timeout = self.get_http_request_header("x-timeout");
                let timeout = timeout.and_then(|timeout| timeout.parse().ok());
                let timeout = timeout.map_or(PATIENCE, Duration::from_millis);
                let path = format!("/{}", rest.join("/"));
                ask(self, cluster, &path, question.as_deref(), timeout)
            }
            ["fire", cluster] => {
                let asked = ask(self, cluster, "/fire", None, PATIENCE);
                self.respond(200, "fired");
                asked
            }
            ["unary", cluster, text] => grpc::call(self, cluster, text),
            ["stream", cluster, texts] => self.open(cluster, texts, false),
            ["cancel", cluster] => self.open(cluster, "a", true),
            _ => return Action::Continue,
        };
        if let Err(status) = started {
            self.respond(500, &format!("refused: {status:?}"));
        }
        Action::Pause
    }
}

impl Context for CalloutsStream {
    fn on_http_call_response(
        &mut self,
        _token: u32,
        headers: usize,
        _body: usize,
        _trailers: usize,
    ) {
        let outcome = outcome(self, headers);
        if outcome.starts_with("200 ") {
            self.set_http_request_header("x-answer", Some(&outcome));
            self.resume_http_request();
        } else if headers > 0 {
            self.respond(403, &outcome);
        } else {
            self.respond(503, &outcome);
        }
    }

    fn on_grpc_call_response(&mut self, _token: u32, status: u32, size: usize) {
        let text = grpc::call_outcome(self, status, size);
        self.respond(200, &text);
    }

    fn on_grpc_stream_initial_metadata(&mut self, _token: u32, _count: u32) {
        let value = self.get_grpc_stream_initial_metadata_value("x-initial");
        self.grpc.heard(format!("initial {}", grpc::lossy(value)));
    }

    fn on_grpc_stream_message(&mut self, token: u32, size: usize) {
        let message = self.get_grpc_stream_message(0, size);
        self.grpc
            .heard(format!("message {}", grpc::decode(message)));
        if self.grpc.cancels {
            self.cancel_grpc_stream(token);
            self.respond(200, &self.grpc.said());
        }
    }

    fn on_grpc_stream_trailing_metadata(&mut self, _token: u32, _count: u32) {
        let value = self.get_grpc_stream_trailing_metadata_value("x-trailing");
        self.grpc.heard(format!("trailing {}", grpc::lossy(value)));
    }

    fn on_grpc_stream_close(&mut self, _token: u32, status: u32) {
        let (code, message) = self.get_grpc_status();
        self.grpc.heard(format!(
            "close {status} {code} {}",
            message.unwrap_or_default()
        ));
        self.respond(200, &self.grpc.said());
    }
}

impl CalloutsStream {
    fn open(&mut self, cluster: &str, texts: &str, cancels: bool) -> Result<u32, Status> {
        self.grpc.cancels = cancels;
        let token = self.open_grpc_stream(
            cluster,
            grpc::SERVICE,
            "Chat",
            vec![("x-meta", b"m".as_slice())],
        )?;
        let texts: Vec<_> = texts.split(',').collect();
        for (at, text) in texts.iter().enumerate() {
            let last = at + 1 == texts.len() && !cancels;
            self.send_grpc_stream_message(token, Some(&grpc::encode(text)), last);
        }
        Ok(token)
    }
}

fn ask(
    context: &dyn Context,
    cluster: &str,
    path: &str,
    body: Option<&str>,
    timeout: Duration,
) -> Result<u32, Status> {
    let headers = vec![
        (":method", if body.is_some() { "POST" } else { "GET" }),
        (":path", path),
        (":authority", "callout.example"),
        ("x-from", "plugin"),
    ];
    let trailers = body.map(|_| ("x-sum", "1")).into_iter().collect();
    context.dispatch_http_call(cluster, headers, body.map(str::as_bytes), trailers, timeout)
}

fn outcome(context: &dyn Context, headers: usize) -> String {
    if headers == 0 {
        return "no answer".to_owned();
    }
    let field = |name| {
        context
            .get_http_call_response_header(name)
            .unwrap_or_default()
    };
    let body = context
        .get_http_call_response_body(0, usize::MAX)
        .unwrap_or_default();
    let sum = context
        .get_http_call_response_trailer("x-sum")
        .unwrap_or_default();
    let (status, kind) = (field(":status"), field("x-kind"));
    format!("{status} {kind} {} {sum}", String::from_utf8_lossy(&body))
}

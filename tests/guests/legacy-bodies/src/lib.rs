//! Does in each callback what the request header `x-do` asks for; see `script.rs`. What the host refuses is logged.
//! `wit-bodies` is its twin.

mod script;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MapType, Status};

use self::script::Script;

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_log_level(super::LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(super::Root));
    }}
}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Bodies::default()))
    }
}

#[derive(Default)]
struct Bodies {
    script: Script,
}

impl Bodies {
    fn headers(&self, callback: &str, headers: MapType) -> Action {
        match self.script.deed(callback) {
            "pause" => return Action::Pause,
            "unlength" => report(hostcalls::set_map_value(headers, "content-length", None)),
            deed => return self.end(deed),
        }
        Action::Continue
    }

    fn body(&self, callback: &str, of: BufferType, size: usize, end_of_stream: bool) -> Action {
        match self.script.deed(callback) {
            "pause" | "edit" if !end_of_stream => return Action::Pause,
            "edit" => {
                report(hostcalls::set_buffer(of, 0, 3, b"abcd"));
                report(hostcalls::set_buffer(of, 0, 0, b"<"));
                report(hostcalls::set_buffer(of, usize::MAX, 0, b">"));
            }
            "lengthen" if size > 0 => report(hostcalls::set_buffer(of, size, 0, b"!")),
            "pause" | "lengthen" => {}
            deed => return self.end(deed),
        }
        Action::Continue
    }

    fn trailers(&self, callback: &str, trailers: MapType) -> Action {
        match self.script.deed(callback) {
            "pause" => return Action::Pause,
            "mark" => {
                let seen = hostcalls::get_map_value(trailers, "x-seen").ok().flatten();
                let seen = seen.unwrap_or_default();
                report(hostcalls::set_map_value(trailers, "x-marked", Some(&seen)));
                report(hostcalls::set_map_value(trailers, "x-secret", None));
            }
            deed => return self.end(deed),
        }
        Action::Continue
    }

    fn end(&self, deed: &str) -> Action {
        match deed {
            "respond" => {
                let headers = vec![("x-made-by", "plugin")];
                self.send_http_response(418, headers, Some(b"a teapot\n"));
                Action::Pause
            }
            "reset" => {
                self.reset_http_request();
                Action::Pause
            }
            _ => Action::Continue,
        }
    }
}

impl Context for Bodies {}

impl HttpContext for Bodies {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.script = Script::read(&self.get_http_request_header("x-do").unwrap_or_default());
        self.headers("request-headers", MapType::HttpRequestHeaders)
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.body(
            "request-body",
            BufferType::HttpRequestBody,
            size,
            end_of_stream,
        )
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.trailers("request-trailers", MapType::HttpRequestTrailers)
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.headers("response-headers", MapType::HttpResponseHeaders)
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.body(
            "response-body",
            BufferType::HttpResponseBody,
            size,
            end_of_stream,
        )
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.trailers("response-trailers", MapType::HttpResponseTrailers)
    }

    fn on_log(&mut self) {
        log::info!("exchange is over");
    }
}

fn report(outcome: Result<(), Status>) {
    if let Err(status) = outcome {
        log::warn!("refused: {status:?}");
    }
}

//! Reads ten header fields of each request, some of which are not there, and adds their length to the response.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

/// What is read.
const FIELDS: [&str; 10] = [
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cookie",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-request-id",
    "traceparent",
];

/// What the proxy runs first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Reads));
    }}
}

/// One for each configured plugin.
struct Reads;

impl Context for Reads {}

impl RootContext for Reads {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(ReadsStream { size: 0 }))
    }
}

/// One for each exchange.
struct ReadsStream {
    size: usize,
}

impl Context for ReadsStream {}

impl HttpContext for ReadsStream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.size = FIELDS
            .iter()
            .filter_map(|name| self.get_http_request_header_bytes(name))
            .map(|value| value.len())
            .sum();
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.add_http_response_header("x-size", &self.size.to_string());
        Action::Continue
    }
}

//! Reads, adds and removes header fields: the smallest plugin that does something on both paths.
//!
//! On the request path it sums up who asks in `x-client`; on the response path it adds `x-plugin` and takes `server`
//! away; in the end it logs the exchange. Written with the Proxy-Wasm SDK; `wit-rust-headers` is its twin.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, Bytes, ContextType};

/// What the proxy runs first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Headers));
    }}
}

/// One for each configured plugin.
struct Headers;

impl Context for Headers {}

impl RootContext for Headers {
    fn on_vm_start(&mut self, _vm_configuration_size: usize) -> bool {
        // The SDK asks the host to filter messages unless it is told what the host keeps.
        if let Ok(level) = hostcalls::get_log_level() {
            proxy_wasm::set_log_level(level);
        }
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(HeadersStream))
    }
}

/// One for each exchange.
struct HeadersStream;

impl Context for HeadersStream {}

impl HttpContext for HeadersStream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let agent = self.get_http_request_header_bytes("user-agent");
        let id = self.get_http_request_header_bytes("x-request-id");
        let agent = agent.as_deref().unwrap_or(b"-");
        let id = id.as_deref().unwrap_or(b"-");
        self.add_http_request_header_bytes("x-client", &[agent, b" ", id].concat());
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.add_http_response_header("x-plugin", "headers");
        self.remove_http_response_header("server");
        Action::Continue
    }

    fn on_log(&mut self) {
        log::debug!(
            "{} {} {}",
            text(self.get_http_request_header_bytes(":method")),
            text(self.get_http_request_header_bytes(":path")),
            text(self.get_http_response_header_bytes(":status")),
        );
    }
}

fn text(value: Option<Bytes>) -> String {
    value.map_or_else(
        || "-".into(),
        |value| String::from_utf8_lossy(&value).into_owned(),
    )
}

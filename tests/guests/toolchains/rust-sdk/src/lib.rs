//! The plugin of the toolchain tests, in Rust with the crate `proxy-wasm` 0.2 (ABI 0.2.1).

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_log_level(super::LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(super::Root { configuration: "".into() }));
    }}
}

struct Root {
    configuration: Rc<str>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let bytes = self.get_plugin_configuration().unwrap_or_default();
        self.configuration = String::from_utf8_lossy(&bytes).into();
        log::info!("configured: {}", self.configuration);
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            configuration: Rc::clone(&self.configuration),
            bytes: 0,
        }))
    }
}

struct Stream {
    configuration: Rc<str>,
    /// Of the request's body.
    bytes: usize,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        let who = self.get_http_request_header("x-who").unwrap_or_default();
        log::info!("request: {path} from {who}");
        if path == "/deny" {
            self.send_http_response(403, vec![("x-denied-by", "toolchain")], Some(b"denied\n"));
            return Action::Pause;
        }
        self.add_http_request_header("x-plugin", "toolchain");
        self.set_http_request_header("content-length", None);
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            return Action::Pause;
        }
        let body = self.get_http_request_body(0, size).unwrap_or_default();
        self.bytes = body.len();
        let body = String::from_utf8_lossy(&body).replace("cat", &self.configuration);
        self.set_http_request_body(0, size, body.as_bytes());
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.set_http_response_header("x-configured", Some(&self.configuration));
        self.set_http_response_header("x-remove", None);
        Action::Continue
    }

    fn on_log(&mut self) {
        log::info!("bytes: {}", self.bytes);
    }
}

//! Rewrites bodies, or adds their digest.
//!
//! `mode=replace` waits for the whole body and replaces a text in it, `mode=mask` masks digits in each piece as it
//! comes, `mode=digest` lets the body pass and adds a trailer `content-digest`. Written with the Proxy-Wasm SDK;
//! `wit-rust-body` is its twin.

mod digest;
mod mask;
mod message;
mod replace;
mod settings;

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use self::digest::BodyDigest;
use self::message::Message;
use self::settings::Settings;

/// What the proxy runs first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::BodyPlugin { settings: None }));
    }}
}

/// One for each configured plugin.
struct BodyPlugin {
    /// There once it is configured.
    settings: Option<Rc<Settings>>,
}

impl Context for BodyPlugin {}

impl RootContext for BodyPlugin {
    fn on_vm_start(&mut self, _vm_configuration_size: usize) -> bool {
        if let Ok(level) = hostcalls::get_log_level() {
            proxy_wasm::set_log_level(level);
        }
        true
    }

    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        match Settings::read(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(settings) => {
                self.settings = Some(Rc::new(settings));
                true
            }
            Err(error) => {
                log::error!("{error}");
                false
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(BodyStream {
            settings: Rc::clone(self.settings.as_ref()?),
            request: BodyDigest::default(),
            response: BodyDigest::default(),
        }))
    }
}

/// One for each exchange.
struct BodyStream {
    settings: Rc<Settings>,
    request: BodyDigest,
    response: BodyDigest,
}

impl Context for BodyStream {}

impl HttpContext for BodyStream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        if self.settings.requests && !end_of_stream {
            Message::REQUEST.prepare(&self.settings.mode);
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !self.settings.requests {
            return Action::Continue;
        }
        Message::REQUEST.edit(&self.settings.mode, &mut self.request, size, end_of_stream)
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        if self.settings.requests {
            Message::REQUEST.finish(&self.settings.mode, &mut self.request);
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        if self.settings.responses && !end_of_stream {
            Message::RESPONSE.prepare(&self.settings.mode);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !self.settings.responses {
            return Action::Continue;
        }
        Message::RESPONSE.edit(&self.settings.mode, &mut self.response, size, end_of_stream)
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        if self.settings.responses {
            Message::RESPONSE.finish(&self.settings.mode, &mut self.response);
        }
        Action::Continue
    }
}

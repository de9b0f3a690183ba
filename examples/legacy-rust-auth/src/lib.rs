//! Lets only known users pass, and tells the upstream who they are.
//!
//! A request without credentials is answered with 401, one with wrong ones with 403. Of the others the credentials are
//! taken off, and `x-user` says whose they were. An upstream's 500 becomes a 502 that gives nothing away. Written with
//! the Proxy-Wasm SDK; `wit-rust-auth` is its twin.

mod users;

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, Bytes, ContextType};

use self::users::Users;

/// What the proxy runs first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Auth { users: None }));
    }}
}

/// One for each configured plugin.
struct Auth {
    /// There once it is configured.
    users: Option<Rc<Users>>,
}

impl Context for Auth {}

impl RootContext for Auth {
    fn on_vm_start(&mut self, _vm_configuration_size: usize) -> bool {
        if let Ok(level) = hostcalls::get_log_level() {
            proxy_wasm::set_log_level(level);
        }
        true
    }

    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        match Users::read(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(users) => {
                self.users = Some(Rc::new(users));
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
        let users = Rc::clone(self.users.as_ref()?);
        Some(Box::new(AuthStream { users }))
    }
}

/// One for each exchange.
struct AuthStream {
    users: Rc<Users>,
}

impl AuthStream {
    /// All values: an upstream might look at another one than the first.
    fn credentials(&self) -> Vec<Bytes> {
        let headers = self.get_http_request_headers_bytes();
        headers
            .into_iter()
            .filter(|(name, _)| name == "authorization")
            .map(|(_, value)| value)
            .collect()
    }
}

impl Context for AuthStream {}

impl HttpContext for AuthStream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        match self.credentials().as_slice() {
            [] => {
                log::info!("request refused: no credentials");
                let headers = vec![("www-authenticate", "Bearer realm=\"proxy-wasi\"")];
                self.send_http_response(401, headers, Some(b"credentials needed\n"));
                Action::Pause
            }
            [credentials] if let Some(user) = self.users.identify(credentials) => {
                self.remove_http_request_header("authorization");
                self.set_http_request_header("x-user", Some(user));
                Action::Continue
            }
            _ => {
                log::info!("request refused: wrong credentials");
                self.send_http_response(403, Vec::new(), Some(b"credentials refused\n"));
                Action::Pause
            }
        }
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if self.get_http_response_header_bytes(":status").as_deref() == Some(b"500") {
            self.send_http_response(502, Vec::new(), Some(b"the service has failed\n"));
            return Action::Pause;
        }
        Action::Continue
    }
}

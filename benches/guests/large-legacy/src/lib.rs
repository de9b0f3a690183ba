//! Answers 403 to paths that match a rule: small work with large libraries, so that the module is as large as those of
//! firewalls and validators are.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};
use regex::RegexSet;

/// What no path should look like, unless the configuration says something else, one rule a line.
const RULES: &str = r"(?i)\bunion\b.+\bselect\b
(?i)<\s*script\b
(?:\.\./){2,}
[\p{Cyrillic}\p{Greek}]{64,}";

/// What the proxy runs first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Firewall::default()));
    }}
}

/// One for each configured plugin.
#[derive(Default)]
struct Firewall {
    rules: RegexSet,
}

impl Context for Firewall {}

impl RootContext for Firewall {
    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        let configured = self.get_plugin_configuration().unwrap_or_default();
        let rules = str::from_utf8(&configured)
            .ok()
            .filter(|rules| !rules.is_empty())
            .unwrap_or(RULES);
        match RegexSet::new(rules.lines()) {
            Ok(rules) => {
                self.rules = rules;
                true
            }
            Err(_) => false,
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        // A clone shares the compiled rules.
        Some(Box::new(Exchange {
            rules: self.rules.clone(),
        }))
    }
}

/// One for each exchange.
struct Exchange {
    rules: RegexSet,
}

impl Context for Exchange {}

impl HttpContext for Exchange {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        if self.rules.is_match(&path) {
            self.send_http_response(403, Vec::new(), None);
            return Action::Pause;
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.add_http_response_header("x-plugin", "firewall");
        Action::Continue
    }
}

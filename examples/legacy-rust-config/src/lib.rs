//! Shows a plugin's two configurations and some properties in response headers.
//!
//! Both configurations are `key=value` lines. The VM's holds defaults for all plugins of the VM, the plugin's own goes
//! over them, and each setting becomes a header `x-config-KEY`. Written with the Proxy-Wasm SDK; `wit-rust-config` is
//! its twin.

mod settings;

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, Bytes, ContextType};

use self::settings::Settings;

/// What the proxy runs first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::<super::Config>::default());
    }}
}

/// One for each configured plugin.
#[derive(Default)]
struct Config {
    settings: Rc<Settings>,
}

impl Config {
    fn read_settings(&self) -> Result<Settings, String> {
        let mut settings = Settings::new();
        settings::read(
            &self.get_vm_configuration().unwrap_or_default(),
            &mut settings,
        )
        .map_err(|error| format!("VM configuration: {error}"))?;
        settings::read(
            &self.get_plugin_configuration().unwrap_or_default(),
            &mut settings,
        )
        .map_err(|error| format!("configuration: {error}"))?;
        Ok(settings)
    }
}

impl Context for Config {}

impl RootContext for Config {
    fn on_vm_start(&mut self, _vm_configuration_size: usize) -> bool {
        if let Ok(level) = hostcalls::get_log_level() {
            proxy_wasm::set_log_level(level);
        }
        true
    }

    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        match self.read_settings() {
            Ok(settings) => {
                log::info!("configured with {} settings", settings.len());
                self.settings = Rc::new(settings);
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
        Some(Box::new(ConfigStream {
            settings: Rc::clone(&self.settings),
            path: None,
        }))
    }
}

/// One for each exchange.
struct ConfigStream {
    settings: Rc<Settings>,
    /// Envoy knows the request's path on the request path only.
    path: Option<Bytes>,
}

impl ConfigStream {
    /// Properties that the host does not know, or that are empty, are not shown.
    fn show(&self, name: &str, property: Option<Bytes>) {
        if let Some(property) = property.filter(|property| !property.is_empty()) {
            self.set_http_response_header_bytes(name, Some(&property));
        }
    }
}

impl Context for ConfigStream {}

impl HttpContext for ConfigStream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.path = self.get_property(vec!["request", "path"]);
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        for (key, value) in self.settings.iter() {
            self.set_http_response_header(&format!("x-config-{key}"), Some(value));
        }
        self.show("x-plugin-name", self.get_property(vec!["plugin_name"]));
        self.show(
            "x-plugin-root-id",
            self.get_property(vec!["plugin_root_id"]),
        );
        self.show("x-request-path", self.path.clone());
        self.show(
            "x-source-address",
            self.get_property(vec!["source", "address"]),
        );
        self.show(
            "x-destination-port",
            self.get_property(vec!["destination", "port"])
                .and_then(number),
        );
        Action::Continue
    }
}

/// Numbers are eight bytes, little-endian.
fn number(property: Bytes) -> Option<Bytes> {
    let number = i64::from_le_bytes(property.try_into().ok()?);
    Some(number.to_string().into_bytes())
}

//! Shows a plugin's two configurations and some properties in response headers.
//!
//! Both configurations are `key=value` lines. The VM's holds defaults for all plugins of the VM, the plugin's own goes
//! over them, and each setting becomes a header `x-config-KEY`. `legacy-rust-config` is the twin for Proxy-Wasm.

mod settings;

use proxy_wasi_sdk::{Headers, PropertyValue, prelude::*};

use self::settings::Settings;

proxy_wasi_sdk::plugin!(Config);

/// One for each configured plugin.
struct Config {
    settings: Settings,
}

impl Plugin for Config {
    type Stream = ConfigStream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS.union(Interest::RESPONSE_HEADERS);

    fn configure(root: &Root, configuration: &[u8]) -> Result<Self> {
        let mut settings = Settings::new();
        settings::read(root.vm_configuration(), &mut settings)
            .map_err(|error| format!("VM configuration: {error}"))?;
        settings::read(configuration, &mut settings)
            .map_err(|error| format!("configuration: {error}"))?;
        info!("configured with {} settings", settings.len());
        Ok(Self { settings })
    }

    fn stream(&mut self) -> ConfigStream {
        ConfigStream { path: None }
    }
}

/// One for each exchange.
struct ConfigStream {
    /// Envoy knows the request's path on the request path only.
    path: Option<PropertyValue>,
}

impl HttpStream for ConfigStream {
    type Plugin = Config;

    fn on_request_headers(
        &mut self,
        _plugin: &mut Config,
        exchange: &Exchange,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        self.path = exchange.property(&["request", "path"]).ok();
        Ok(HeaderAction::Continue)
    }

    fn on_response_headers(
        &mut self,
        plugin: &mut Config,
        exchange: &Exchange,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let headers = exchange.response().headers();
        for (key, value) in &plugin.settings {
            headers.set(&format!("x-config-{key}"), value)?;
        }
        show(
            headers,
            "x-plugin-name",
            exchange.property(&["plugin_name"]).ok(),
        )?;
        show(
            headers,
            "x-plugin-root-id",
            exchange.property(&["plugin_root_id"]).ok(),
        )?;
        show(headers, "x-request-path", self.path.take())?;
        show(
            headers,
            "x-source-address",
            exchange.property(&["source", "address"]).ok(),
        )?;
        show(
            headers,
            "x-destination-port",
            exchange.property(&["destination", "port"]).ok(),
        )?;
        Ok(HeaderAction::Continue)
    }
}

/// Properties that the host does not know, or that are empty, are not shown.
fn show(headers: Headers, name: &str, property: Option<PropertyValue>) -> Result<()> {
    let Some(property) = property else {
        return Ok(());
    };
    let text = match property.as_u64() {
        Some(number) => number.to_string(),
        None => property.as_str().unwrap_or_default().to_owned(),
    };
    if !text.is_empty() {
        headers.set(name, text)?;
    }
    Ok(())
}

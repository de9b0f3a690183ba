//! Reads, adds and removes header fields: the smallest plugin that does something on both paths.
//!
//! On the request path it sums up who asks in `x-client`; on the response path it adds `x-plugin` and takes `server`
//! away; in the end it logs the exchange. `legacy-rust-headers` is its twin for Proxy-Wasm.

use proxy_wasi_sdk::prelude::*;

proxy_wasi_sdk::plugin!(Headers);

/// One for each configured plugin.
struct Headers;

impl Plugin for Headers {
    type Stream = HeadersStream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS
        .union(Interest::RESPONSE_HEADERS)
        .union(Interest::STREAM_END);

    fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
        Ok(Self)
    }

    fn stream(&mut self) -> HeadersStream {
        HeadersStream
    }
}

/// One for each exchange.
struct HeadersStream;

impl HttpStream for HeadersStream {
    type Plugin = Headers;

    fn on_request_headers(
        &mut self,
        _plugin: &mut Headers,
        exchange: &Exchange,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let headers = exchange.request().headers();
        let agent = headers.get("user-agent")?;
        let id = headers.get("x-request-id")?;
        let agent = agent.as_ref().map_or(&b"-"[..], FieldValue::as_bytes);
        let id = id.as_ref().map_or(&b"-"[..], FieldValue::as_bytes);
        headers.append("x-client", [agent, b" ", id].concat())?;
        Ok(HeaderAction::Continue)
    }

    fn on_response_headers(
        &mut self,
        _plugin: &mut Headers,
        exchange: &Exchange,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let headers = exchange.response().headers();
        headers.append("x-plugin", "headers")?;
        headers.remove("server")?;
        Ok(HeaderAction::Continue)
    }

    fn on_stream_end(&mut self, _plugin: &mut Headers, exchange: &Exchange) -> Result<()> {
        debug!(
            "{} {} {}",
            text(exchange.request().method()),
            text(exchange.request().path()),
            text(exchange.response().status()),
        );
        Ok(())
    }
}

/// What an exchange that failed early never had is a dash.
fn text<T: ToString, E>(value: Result<Option<T>, E>) -> String {
    value
        .ok()
        .flatten()
        .map_or_else(|| "-".into(), |value| value.to_string())
}

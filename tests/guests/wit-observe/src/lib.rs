//! Shows properties and keeps metrics, as a request asks for: the twin of `legacy-observe`, whose page says how.
//!
//! Values are shown as that one gets them: in the bytes of Proxy-Wasm.

use proxy_wasi_sdk::prelude::*;
use proxy_wasi_sdk::{PropertyError, PropertyValue, metrics, random};

proxy_wasi_sdk::plugin!(Observe);

struct Observe {
    requests: metrics::Counter,
    open: metrics::Gauge,
    path: metrics::Histogram,
    vm: u64,
}

impl Plugin for Observe {
    type Stream = Stream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS
        .union(Interest::RESPONSE_HEADERS)
        .union(Interest::STREAM_END);

    fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
        Ok(Self {
            requests: metrics::Counter::define("observe.requests")?,
            open: metrics::Gauge::define("observe.open")?,
            path: metrics::Histogram::define("observe.path")?,
            vm: random::u64(),
        })
    }

    fn stream(&mut self) -> Stream {
        Stream::default()
    }
}

#[derive(Default)]
struct Stream {
    paths: Vec<String>,
    late: Option<String>,
    at_request: String,
}

impl HttpStream for Stream {
    type Plugin = Observe;

    fn on_request_headers(
        &mut self,
        plugin: &mut Observe,
        exchange: &Exchange<'_>,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let headers = exchange.request().headers();
        let asked = |name| -> Result<Option<String>> {
            let value = headers.get(name)?;
            Ok(value.map(|value| value.to_string_lossy().into_owned()))
        };
        assert!(asked("x-trap")?.is_none(), "the request asks for it");
        plugin.requests.add(1);
        plugin.open.add(1);
        let path = exchange.request().path()?.unwrap_or_default();
        plugin.path.observe(path.len() as u64);
        if let Some(set) = asked("x-set")?
            && let Some((name, value)) = set.split_once('=')
        {
            exchange.set_property(name, value)?;
            headers.remove("x-set")?;
        }
        let paths = asked("x-read")?.unwrap_or_default();
        self.paths = paths.split_whitespace().map(str::to_owned).collect();
        self.late = asked("x-late")?;
        self.at_request = read(exchange, &self.paths);
        Ok(HeaderAction::Continue)
    }

    fn on_response_headers(
        &mut self,
        plugin: &mut Observe,
        exchange: &Exchange<'_>,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let headers = exchange.response().headers();
        if let Some(late) = &self.late {
            let value = exchange.request().header(late)?;
            headers.append(
                "x-late",
                value.map(|value| value.into_bytes()).unwrap_or_default(),
            )?;
        }
        headers.append("x-count", plugin.requests.value().to_string())?;
        headers.append("x-vm", plugin.vm.to_string())?;
        headers.append("x-at-request", &self.at_request)?;
        headers.append("x-at-response", read(exchange, &self.paths))?;
        Ok(HeaderAction::Continue)
    }

    fn on_stream_end(&mut self, plugin: &mut Observe, exchange: &Exchange<'_>) -> Result<()> {
        plugin.open.subtract(1);
        info!("at the end: {};", read(exchange, &self.paths));
        Ok(())
    }
}

/// Each property as `path=bytes`, the bytes in hexadecimal digits; a status instead if there is none.
fn read(exchange: &Exchange<'_>, paths: &[String]) -> String {
    let show = |path: &String| {
        let segments: Vec<_> = path.split('.').collect();
        match exchange.property(&segments) {
            Ok(value) => {
                let digits: String = bytes(value)
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                format!("{path}={digits}")
            }
            Err(refused) => match refused.reason() {
                PropertyError::NotFound => format!("{path}=none"),
                PropertyError::NotSerializable => format!("{path}=SerializationFailure"),
                other @ (PropertyError::UnknownContext
                | PropertyError::Rejected
                | PropertyError::LimitReached) => format!("{path}={other:?}"),
            },
        }
    };
    paths.iter().map(show).collect::<Vec<_>>().join(" ")
}

/// A value as Proxy-Wasm serializes it.
fn bytes(value: PropertyValue) -> Vec<u8> {
    match value {
        PropertyValue::Text(text) => text.into_bytes(),
        PropertyValue::Bytes(bytes) | PropertyValue::Message(bytes) => bytes,
        PropertyValue::Signed(number)
        | PropertyValue::Timestamp(number)
        | PropertyValue::Span(number) => number.to_le_bytes().to_vec(),
        PropertyValue::Unsigned(number) => number.to_le_bytes().to_vec(),
        PropertyValue::Floating(number) => number.to_le_bytes().to_vec(),
        PropertyValue::Boolean(truth) => vec![u8::from(truth)],
        PropertyValue::Entries(entries) => {
            let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
            let mut all = u32::try_from(entries.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes()
                .to_vec();
            for (name, value) in &entries {
                all.extend(size(name));
                all.extend(size(value));
            }
            for (name, value) in &entries {
                all.extend(name);
                all.push(0);
                all.extend(value);
                all.push(0);
            }
            all
        }
    }
}

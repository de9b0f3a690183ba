//! Shows properties and keeps metrics, as a request asks for.
//!
//! | Request header | Does |
//! |---|---|
//! | `x-read: a.b c` | reads these properties in the request's and the response's headers callback, shown in the response headers `x-at-request` and `x-at-response`, and at the end, shown in the log |
//! | `x-set: name=value` | sets a property in the request's headers callback, and removes this header |
//! | `x-late: name` | reads this request header in the response's headers callback |
//! | `x-trap: yes` | panics |
//!
//! Each request adds one to the counter `observe.requests`, takes part in the gauge `observe.open` until its end, and
//! records its path's length in the histogram `observe.path`. The response says in `x-vm` which VM it was, and in
//! `x-count` the counter's value. `wit-observe` is its twin.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MetricType};

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Observe::default()));
    }}
}

#[derive(Clone, Copy, Default)]
struct Metrics {
    requests: u32,
    open: u32,
    path: u32,
}

#[derive(Default)]
struct Observe {
    metrics: Metrics,
    vm: u128,
}

impl Context for Observe {}

impl RootContext for Observe {
    fn on_configure(&mut self, _size: usize) -> bool {
        let define = |kind, name| hostcalls::define_metric(kind, name).unwrap_or_default();
        self.metrics = Metrics {
            requests: define(MetricType::Counter, "observe.requests"),
            open: define(MetricType::Gauge, "observe.open"),
            path: define(MetricType::Histogram, "observe.path"),
        };
        let now = hostcalls::get_current_time().ok();
        let now = now.and_then(|now| now.duration_since(std::time::UNIX_EPOCH).ok());
        self.vm = now.unwrap_or_default().as_nanos();
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            metrics: self.metrics,
            vm: self.vm,
            paths: Vec::new(),
            late: None,
            at_request: String::new(),
        }))
    }
}

struct Stream {
    metrics: Metrics,
    vm: u128,
    paths: Vec<String>,
    late: Option<String>,
    at_request: String,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        assert!(
            self.get_http_request_header("x-trap").is_none(),
            "the request asks for it"
        );
        let path = self.get_http_request_header(":path").unwrap_or_default();
        hostcalls::increment_metric(self.metrics.requests, 1).unwrap_or_default();
        hostcalls::increment_metric(self.metrics.open, 1).unwrap_or_default();
        hostcalls::record_metric(self.metrics.path, path.len() as u64).unwrap_or_default();
        if let Some(set) = self.get_http_request_header("x-set")
            && let Some((name, value)) = set.split_once('=')
        {
            self.set_property(vec![name], Some(value.as_bytes()));
            self.set_http_request_header("x-set", None);
        }
        let paths = self.get_http_request_header("x-read").unwrap_or_default();
        self.paths = paths.split_whitespace().map(str::to_owned).collect();
        self.late = self.get_http_request_header("x-late");
        self.at_request = read(&self.paths);
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Some(late) = &self.late {
            let value = self.get_http_request_header(late);
            self.add_http_response_header("x-late", &value.unwrap_or_default());
        }
        let count = hostcalls::get_metric(self.metrics.requests).unwrap_or_default();
        self.add_http_response_header("x-count", &count.to_string());
        self.add_http_response_header("x-vm", &self.vm.to_string());
        self.add_http_response_header("x-at-request", &self.at_request);
        self.add_http_response_header("x-at-response", &read(&self.paths));
        Action::Continue
    }

    fn on_log(&mut self) {
        hostcalls::increment_metric(self.metrics.open, -1).unwrap_or_default();
        log::info!("at the end: {};", read(&self.paths));
    }
}

/// Each property as `path=bytes`, the bytes in hexadecimal digits; a status instead if there is none.
fn read(paths: &[String]) -> String {
    let show = |path: &String| match hostcalls::get_property(path.split('.').collect()) {
        Ok(Some(bytes)) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{path}={digits}")
        }
        Ok(None) => format!("{path}=none"),
        Err(status) => format!("{path}={status:?}"),
    };
    paths.iter().map(show).collect::<Vec<_>>().join(" ")
}

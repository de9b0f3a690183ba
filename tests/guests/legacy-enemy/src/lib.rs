//! Misbehaves when a request's headers callback says so by the header `x-enemy`:
//!
//! | `x-enemy` | Does |
//! |---|---|
//! | `spin` | loops for ever |
//! | `allocate` | takes memory for ever |
//! | `recurse` | calls itself for ever |
//! | `log` | logs for ever |
//! | `print` | prints for ever |
//! | `headers` | adds request headers for ever |
//! | `properties` | sets properties for ever |
//! | `trap` | panics |
//! | `second` | panics on every second request of a VM that asks for it |
//!
//! The last two do it in the callback that `x-where` names, such as `response-body` or `stream-end`; without that in
//! `request-headers`.
//!
//! To every response that it sees it adds `x-enemy-was-here`. `wit-enemy` is its twin.
#![expect(
    clippy::infinite_iter,
    clippy::panic,
    clippy::print_stdout,
    reason = "to misbehave is what it is for"
)]

use std::cell::Cell;
use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MapType};

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Enemy::default()));
    }}
}

#[derive(Default)]
struct Enemy {
    asked: Rc<Cell<u32>>,
}

impl Context for Enemy {}

impl RootContext for Enemy {
    fn on_configure(&mut self, _size: usize) -> bool {
        proxy_wasm::set_log_level(LogLevel::Info);
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            asked: Rc::clone(&self.asked),
            trap_in: None,
        }))
    }
}

struct Stream {
    asked: Rc<Cell<u32>>,
    /// The callback to panic in.
    trap_in: Option<String>,
}

impl Stream {
    fn arm(&mut self) {
        let place = self.get_http_request_header("x-where");
        self.trap_in = Some(place.unwrap_or_else(|| "request-headers".to_owned()));
    }

    fn in_callback(&self, name: &str) {
        if self.trap_in.as_deref() == Some(name) {
            trap();
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        match self.get_http_request_header("x-enemy").as_deref() {
            Some("spin") => spin(),
            Some("allocate") => allocate(),
            Some("recurse") => _ = recurse(0),
            Some("log") => log(),
            Some("print") => print(),
            Some("headers") => loop {
                let value = "v".repeat(100);
                let map = MapType::HttpRequestHeaders;
                let _ = hostcalls::add_map_value(map, "x-more", &value);
            },
            Some("properties") => (0_u64..).for_each(|number| {
                let name = format!("more.{number}");
                let _ = hostcalls::set_property(vec![&name], Some(&[b'v'; 100]));
            }),
            Some("trap") => self.arm(),
            Some("second") => {
                self.asked.set(self.asked.get() + 1);
                if self.asked.get().is_multiple_of(2) {
                    self.arm();
                }
            }
            _ => {}
        }
        self.in_callback("request-headers");
        Action::Continue
    }

    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.in_callback("request-body");
        Action::Continue
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.in_callback("request-trailers");
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.in_callback("response-headers");
        self.add_http_response_header("x-enemy-was-here", "yes");
        Action::Continue
    }

    fn on_http_response_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.in_callback("response-body");
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.in_callback("response-trailers");
        Action::Continue
    }

    fn on_log(&mut self) {
        self.in_callback("stream-end");
    }
}

#[inline(never)]
fn trap() {
    panic!("the request asks for it");
}

fn spin() {
    loop {
        std::hint::black_box(());
    }
}

fn allocate() {
    let mut all = Vec::new();
    loop {
        all.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&all);
    }
}

#[expect(unconditional_recursion, reason = "what it is for")]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 16]);
    recurse(depth + 1) + frame.iter().sum::<u64>()
}

fn log() {
    let line = "for ever ".repeat(100);
    loop {
        log::info!("{line}");
    }
}

fn print() {
    let line = "for ever ".repeat(100);
    loop {
        println!("{line}");
    }
}

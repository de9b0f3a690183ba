//! Does what its configuration and the paths of requests say, with everything that is no stream: timers, shared data,
//! queues, foreign functions, the life of a root context. `wit-events` is its twin.
//!
//! The configuration is words: `tick=MS` sets the period, `queue=NAME` registers a queue, `finish=later` asks for time at
//! the end and takes it until the next tick, `finish=never` takes it for good. Requests with these paths are answered,
//! the others pass: `/get/KEY`, `/set/KEY/VALUE`, `/add/KEY`, `/put/VM_ID/QUEUE/ITEM` (`-` for the own `vm_id`),
//! `/take/QUEUE`, `/call/FUNCTION/INPUT`, `/tick/MS`,
//! `/env/NAME`, `/print/TEXT`, `/sleep/MS`, `/trap`. With `/to/PLUGIN` in front only that plugin of the chain
//! answers.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests ask for it"
)]

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, Status};

/// What the proxy runs first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Events::default()));
    }}
}

#[derive(Default)]
struct Events {
    ticks: u32,
    finish: Finish,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Finish {
    #[default]
    AtOnce,
    Later,
    Now,
    Never,
}

impl Context for Events {
    fn on_done(&mut self) -> bool {
        log::info!("done?");
        match self.finish {
            Finish::AtOnce => true,
            Finish::Later => {
                self.finish = Finish::Now;
                false
            }
            Finish::Now | Finish::Never => false,
        }
    }
}

impl RootContext for Events {
    fn on_vm_start(&mut self, _vm_configuration_size: usize) -> bool {
        if let Ok(level) = hostcalls::get_log_level() {
            proxy_wasm::set_log_level(level);
        }
        true
    }

    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        let configuration = String::from_utf8_lossy(&configuration);
        for (key, value) in configuration
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            match key {
                "tick" => set_tick(value),
                "queue" => {
                    self.register_shared_queue(value);
                }
                "finish" if value == "later" => self.finish = Finish::Later,
                "finish" => self.finish = Finish::Never,
                _ => return false,
            }
        }
        log::info!("configured");
        true
    }

    fn on_tick(&mut self) {
        self.ticks += 1;
        if self.ticks < 10 {
            log::info!("tick {}", self.ticks);
        }
        if self.finish == Finish::Now {
            log::info!("flushed");
            self.finish = Finish::Never;
            self.done();
            log::info!("still here");
        }
    }

    fn on_queue_ready(&mut self, queue: u32) {
        match self.dequeue_shared_queue(queue) {
            Ok(Some(item)) => {
                let item = String::from_utf8_lossy(&item).into_owned();
                log::info!("item {item}");
                if item == "trap" {
                    panic!("asked to");
                }
            }
            Ok(None) => log::info!("no item"),
            Err(status) => log::error!("not taken: {status:?}"),
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(EventsStream))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        log::info!("deleted");
    }
}

struct EventsStream;

impl Context for EventsStream {}

impl HttpContext for EventsStream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        match self.answer(&path) {
            Some(body) => {
                self.send_http_response(200, Vec::new(), Some(body.as_bytes()));
                Action::Pause
            }
            None => Action::Continue,
        }
    }

    fn on_log(&mut self) {
        log::info!("stream ended");
    }
}

impl EventsStream {
    fn answer(&self, path: &str) -> Option<String> {
        let words: Vec<&str> = path.split('/').skip(1).collect();
        let words = match words.as_slice() {
            ["to", plugin, words @ ..] => {
                let name = self.get_property(vec!["plugin_name"]);
                name.filter(|name| name == plugin.as_bytes())
                    .map(|_| words)?
            }
            words => words,
        };
        Some(match *words {
            ["get", key] => text(self.get_shared_data(key).0),
            ["set", key, value] => said(self.set_shared_data(key, Some(value.as_bytes()), None)),
            ["add", key] => self.add(key).to_string(),
            ["put", vm_id, queue, item] => {
                let vm_id = if vm_id == "-" { "" } else { vm_id };
                match self.resolve_shared_queue(vm_id, queue) {
                    Some(queue) => said(self.enqueue_shared_queue(queue, Some(item.as_bytes()))),
                    None => "no queue".into(),
                }
            }
            ["take", queue] => match self.resolve_shared_queue("", queue) {
                Some(queue) => text(self.dequeue_shared_queue(queue).unwrap_or_default()),
                None => "no queue".into(),
            },
            ["call", function, input] => {
                match hostcalls::call_foreign_function(function, Some(input.as_bytes())) {
                    Ok(output) => text(Some(output.unwrap_or_default())),
                    Err(Status::NotFound) => "no function".into(),
                    Err(Status::BadArgument) => "bad input".into(),
                    Err(Status::SerializationFailure) => "no result".into(),
                    Err(status) => format!("{status:?}"),
                }
            }
            ["tick", period] => {
                set_tick(period);
                "set".into()
            }
            ["env", name] => std::env::var(name).unwrap_or_else(|_| "none".into()),
            ["print", text] => {
                print!("one line of ");
                eprintln!("{text}");
                println!("{text}");
                eprint!("an unfinished line");
                "printed".into()
            }
            ["sleep", period] => {
                std::thread::sleep(Duration::from_millis(period.parse().unwrap_or(0)));
                "slept".into()
            }
            ["trap"] => panic!("asked to"),
            _ => return None,
        })
    }

    /// Counts under a key, together with all who do the same.
    fn add(&self, key: &str) -> u32 {
        loop {
            let (value, cas) = self.get_shared_data(key);
            let number = text(value).parse().unwrap_or(0) + 1;
            let stored = self.set_shared_data(key, Some(u32::to_string(&number).as_bytes()), cas);
            if stored.is_ok() {
                return number;
            }
        }
    }
}

fn set_tick(period: &str) {
    let period = Duration::from_millis(period.parse().unwrap_or(0));
    if let Err(status) = hostcalls::set_tick_period(period) {
        log::error!("no ticks: {status:?}");
    }
}

fn text(value: Option<Vec<u8>>) -> String {
    value.map_or_else(
        || "none".into(),
        |value| String::from_utf8_lossy(&value).into_owned(),
    )
}

fn said(result: Result<(), Status>) -> String {
    result.map_or_else(|status| format!("{status:?}"), |()| "done".into())
}

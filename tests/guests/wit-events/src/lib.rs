//! Does what its configuration and the paths of requests say, with everything that is no stream: the twin of
//! `legacy-events`, whose page says what.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests ask for it"
)]

use std::time::Duration;

use proxy_wasi_sdk::prelude::*;
use proxy_wasi_sdk::{ForeignFunctionError, LocalResponse, Queue, QueueToken, shared_data};

proxy_wasi_sdk::plugin!(Events);

struct Events {
    ticks: u32,
    finish: Finish,
    queues: Vec<Queue>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Finish {
    AtOnce,
    Later,
    Now,
    Never,
}

impl Plugin for Events {
    type Stream = EventsStream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS.union(Interest::STREAM_END);

    fn configure(root: &Root, configuration: &[u8]) -> Result<Self> {
        let mut plugin = Self {
            ticks: 0,
            finish: Finish::AtOnce,
            queues: Vec::new(),
        };
        let configuration = std::str::from_utf8(configuration)?;
        for (key, value) in configuration
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            match key {
                "tick" => set_tick(root, value)?,
                "queue" => plugin.queues.push(root.register_queue(value)?),
                "finish" if value == "later" => plugin.finish = Finish::Later,
                "finish" => plugin.finish = Finish::Never,
                _ => return Err(format!("unknown key `{key}`").into()),
            }
        }
        info!("configured");
        Ok(plugin)
    }

    fn stream(&mut self) -> EventsStream {
        EventsStream
    }

    fn on_tick(&mut self, root: &Root) -> Result<()> {
        self.ticks += 1;
        if self.ticks < 10 {
            info!("tick {}", self.ticks);
        }
        if self.finish == Finish::Now {
            info!("flushed");
            self.finish = Finish::Never;
            root.done();
            info!("still here");
        }
        Ok(())
    }

    fn on_queue_ready(&mut self, _root: &Root, token: QueueToken) -> Result<()> {
        let queue = self.queues.iter().find(|queue| queue.token() == token);
        match queue.map(Queue::dequeue).transpose()?.flatten() {
            Some(item) => {
                let item = String::from_utf8_lossy(&item).into_owned();
                info!("item {item}");
                if item == "trap" {
                    panic!("asked to");
                }
            }
            None => info!("no item"),
        }
        Ok(())
    }

    fn on_done(&mut self, _root: &Root) -> bool {
        info!("done?");
        match self.finish {
            Finish::AtOnce => true,
            Finish::Later => {
                self.finish = Finish::Now;
                false
            }
            Finish::Now | Finish::Never => false,
        }
    }

    fn on_delete(&mut self, _root: &Root) {
        info!("deleted");
    }
}

struct EventsStream;

impl HttpStream for EventsStream {
    type Plugin = Events;

    fn on_request_headers(
        &mut self,
        _plugin: &mut Events,
        exchange: &Exchange<'_>,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let path = exchange.request().path()?.unwrap_or_default();
        match answer(exchange, &path)? {
            Some(body) => {
                exchange.respond(LocalResponse::new(200).body(body))?;
                Ok(HeaderAction::Pause)
            }
            None => Ok(HeaderAction::Continue),
        }
    }

    fn on_stream_end(&mut self, _plugin: &mut Events, _exchange: &Exchange<'_>) -> Result<()> {
        info!("stream ended");
        Ok(())
    }
}

fn answer(exchange: &Exchange<'_>, path: &str) -> Result<Option<String>> {
    let words: Vec<&str> = path.split('/').skip(1).collect();
    let words = match words.as_slice() {
        ["to", plugin, words @ ..] if *plugin == exchange.root().name() => words,
        ["to", ..] => return Ok(None),
        words => words,
    };
    Ok(Some(match *words {
        ["get", key] => text(shared_data::get(key)?.map(|(value, _)| value)),
        ["set", key, value] => {
            shared_data::set(key, value)?;
            "done".into()
        }
        ["add", key] => {
            let mut number = 0;
            shared_data::update(key, |value| {
                number =
                    value.map_or(0, |value| text(Some(value.to_vec())).parse().unwrap_or(0)) + 1;
                u32::to_string(&number)
            })?;
            number.to_string()
        }
        ["put", vm_id, queue, item] => match find(if vm_id == "-" { "" } else { vm_id }, queue) {
            Some(queue) => {
                queue.enqueue(item)?;
                "done".into()
            }
            None => "no queue".into(),
        },
        ["take", queue] => match find("", queue) {
            Some(queue) => text(queue.dequeue()?),
            None => "no queue".into(),
        },
        ["call", function, input] => {
            match exchange.call_foreign_function(function, input.as_bytes()) {
                Ok(output) => text(Some(output)),
                Err(refused) => match refused.reason() {
                    ForeignFunctionError::NotFound => "no function".into(),
                    ForeignFunctionError::Unsupported => "not here".into(),
                    ForeignFunctionError::InvalidInput => "bad input".into(),
                    ForeignFunctionError::NotSerializable => "no result".into(),
                    ForeignFunctionError::Failed => "failed".into(),
                },
            }
        }
        ["tick", period] => {
            set_tick(exchange.root(), period)?;
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
        _ => return Ok(None),
    }))
}

fn find(vm_id: &str, name: &str) -> Option<Queue> {
    Queue::resolve(vm_id, name).ok()
}

fn set_tick(root: &Root, period: &str) -> Result<()> {
    let period = period.parse().ok().filter(|period| *period > 0);
    root.set_tick_period(period.map(Duration::from_millis))?;
    Ok(())
}

fn text(value: Option<Vec<u8>>) -> String {
    value.map_or_else(
        || "none".into(),
        |value| String::from_utf8_lossy(&value).into_owned(),
    )
}

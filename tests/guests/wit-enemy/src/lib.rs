//! Misbehaves as a request's header `x-enemy` says: the twin of `legacy-enemy`, whose page lists how.
#![expect(
    clippy::infinite_iter,
    clippy::panic,
    clippy::print_stdout,
    reason = "to misbehave is what it is for"
)]

use proxy_wasi_sdk::prelude::*;

proxy_wasi_sdk::plugin!(Enemy);

#[derive(Default)]
struct Enemy {
    asked: u32,
}

impl Plugin for Enemy {
    type Stream = Stream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS
        .union(Interest::RESPONSE_HEADERS)
        .union(Interest::STREAM_END);

    fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
        Ok(Self::default())
    }

    fn stream(&mut self) -> Stream {
        Stream::default()
    }
}

#[derive(Default)]
struct Stream {
    at_end: bool,
}

impl HttpStream for Stream {
    type Plugin = Enemy;

    fn on_request_headers(
        &mut self,
        plugin: &mut Enemy,
        exchange: &Exchange<'_>,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let headers = exchange.request().headers();
        let Some(enemy) = headers.get("x-enemy")? else {
            return Ok(HeaderAction::Continue);
        };
        match enemy.to_str()? {
            "spin" => spin(),
            "allocate" => allocate(),
            "recurse" => _ = recurse(0),
            "log" => log(),
            "print" => print(),
            "headers" => loop {
                let _ = headers.append("x-more", "v".repeat(100));
            },
            "properties" => (0_u64..).for_each(|number| {
                let _ = exchange.set_property(&format!("more.{number}"), [b'v'; 100]);
            }),
            "trap" => trap(),
            "second" => {
                plugin.asked += 1;
                assert!(plugin.asked % 2 == 1, "it is the second");
            }
            "end" => self.at_end = true,
            _ => {}
        }
        Ok(HeaderAction::Continue)
    }

    fn on_response_headers(
        &mut self,
        _plugin: &mut Enemy,
        exchange: &Exchange<'_>,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        exchange
            .response()
            .headers()
            .append("x-enemy-was-here", "yes")?;
        Ok(HeaderAction::Continue)
    }

    fn on_stream_end(&mut self, _plugin: &mut Enemy, _exchange: &Exchange<'_>) -> Result<()> {
        assert!(!self.at_end, "the request asks for it");
        Ok(())
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
        info!("{line}");
    }
}

fn print() {
    let line = "for ever ".repeat(100);
    loop {
        println!("{line}");
    }
}

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

    const INTEREST: Interest = Interest::all();

    fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
        Ok(Self::default())
    }

    fn stream(&mut self) -> Stream {
        Stream::default()
    }
}

#[derive(Default)]
struct Stream {
    /// The callback to panic in.
    trap_in: Option<String>,
}

impl Stream {
    fn arm(&mut self, exchange: &Exchange<'_>) -> Result<()> {
        let place = exchange.request().headers().get("x-where")?;
        let place = place.as_ref().map(|place| place.to_str()).transpose()?;
        self.trap_in = Some(place.unwrap_or("request-headers").to_owned());
        Ok(())
    }

    fn in_callback(&self, name: &str) {
        if self.trap_in.as_deref() == Some(name) {
            trap();
        }
    }
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
            "trap" => self.arm(exchange)?,
            "second" => {
                plugin.asked += 1;
                if plugin.asked.is_multiple_of(2) {
                    self.arm(exchange)?;
                }
            }
            _ => {}
        }
        self.in_callback("request-headers");
        Ok(HeaderAction::Continue)
    }

    fn on_request_body(
        &mut self,
        _plugin: &mut Enemy,
        _exchange: &Exchange<'_>,
        _size: u32,
        _end_of_stream: bool,
    ) -> Result<DataAction> {
        self.in_callback("request-body");
        Ok(DataAction::Continue)
    }

    fn on_request_trailers(
        &mut self,
        _plugin: &mut Enemy,
        _exchange: &Exchange<'_>,
    ) -> Result<TrailersAction> {
        self.in_callback("request-trailers");
        Ok(TrailersAction::Continue)
    }

    fn on_response_headers(
        &mut self,
        _plugin: &mut Enemy,
        exchange: &Exchange<'_>,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        self.in_callback("response-headers");
        exchange
            .response()
            .headers()
            .append("x-enemy-was-here", "yes")?;
        Ok(HeaderAction::Continue)
    }

    fn on_response_body(
        &mut self,
        _plugin: &mut Enemy,
        _exchange: &Exchange<'_>,
        _size: u32,
        _end_of_stream: bool,
    ) -> Result<DataAction> {
        self.in_callback("response-body");
        Ok(DataAction::Continue)
    }

    fn on_response_trailers(
        &mut self,
        _plugin: &mut Enemy,
        _exchange: &Exchange<'_>,
    ) -> Result<TrailersAction> {
        self.in_callback("response-trailers");
        Ok(TrailersAction::Continue)
    }

    fn on_stream_end(&mut self, _plugin: &mut Enemy, _exchange: &Exchange<'_>) -> Result<()> {
        self.in_callback("stream-end");
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

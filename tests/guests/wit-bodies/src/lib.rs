//! Does in each callback what the request header `x-do` asks for; see `script.rs`. What the host refuses is logged.
//! `legacy-bodies` is its twin.

mod script;

use proxy_wasi_sdk::{Body, Headers, prelude::*};

use self::script::Script;

proxy_wasi_sdk::plugin!(BodiesPlugin);

struct BodiesPlugin;

impl Plugin for BodiesPlugin {
    type Stream = Bodies;

    const INTEREST: Interest = Interest::all();

    fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
        Ok(Self)
    }

    fn stream(&mut self) -> Bodies {
        Bodies::default()
    }
}

#[derive(Default)]
struct Bodies {
    script: Script,
}

impl Bodies {
    fn headers(
        &self,
        callback: &str,
        exchange: &Exchange,
        headers: Headers,
    ) -> Result<HeaderAction> {
        match self.script.deed(callback) {
            "pause" => return Ok(HeaderAction::Pause),
            "unlength" => headers.remove("content-length")?,
            deed => {
                if end(deed, exchange)? {
                    return Ok(HeaderAction::Pause);
                }
            }
        }
        Ok(HeaderAction::Continue)
    }

    fn body(
        &self,
        callback: &str,
        exchange: &Exchange,
        body: Body,
        size: u32,
        end_of_stream: bool,
    ) -> Result<DataAction> {
        match self.script.deed(callback) {
            "pause" | "edit" if !end_of_stream => return Ok(DataAction::PauseAndBuffer),
            "edit" => {
                body.splice(0..3, "abcd")?;
                body.prepend("<")?;
                body.append(">")?;
            }
            "edit-middle" => body.splice(1..2, "?")?,
            "lengthen" if size > 0 => body.append("!")?,
            "pause" | "lengthen" => {}
            deed => {
                if end(deed, exchange)? {
                    return Ok(DataAction::PauseAndBuffer);
                }
            }
        }
        Ok(DataAction::Continue)
    }

    fn trailers(
        &self,
        callback: &str,
        exchange: &Exchange,
        trailers: Headers,
    ) -> Result<TrailersAction> {
        match self.script.deed(callback) {
            "pause" => return Ok(TrailersAction::Pause),
            "mark" => {
                let seen = trailers.get("x-seen")?.unwrap_or_default();
                trailers.set("x-marked", seen)?;
                trailers.remove("x-secret")?;
            }
            deed => {
                if end(deed, exchange)? {
                    return Ok(TrailersAction::Pause);
                }
            }
        }
        Ok(TrailersAction::Continue)
    }
}

/// Whether the exchange has been ended.
fn end(deed: &str, exchange: &Exchange) -> Result<bool> {
    match deed {
        "respond" => {
            let response = LocalResponse::new(418).header("x-made-by", "plugin");
            exchange.respond(response.body("a teapot\n"))?;
        }
        "reset" => exchange.reset(),
        _ => return Ok(false),
    }
    Ok(true)
}

impl HttpStream for Bodies {
    type Plugin = BodiesPlugin;

    fn on_request_headers(
        &mut self,
        _plugin: &mut BodiesPlugin,
        exchange: &Exchange,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let script = exchange.request().header("x-do")?.unwrap_or_default();
        self.script = Script::read(&script.to_string_lossy());
        self.headers("request-headers", exchange, exchange.request().headers())
    }

    fn on_request_body(
        &mut self,
        _plugin: &mut BodiesPlugin,
        exchange: &Exchange,
        size: u32,
        end_of_stream: bool,
    ) -> Result<DataAction> {
        let body = exchange.request().body();
        self.body("request-body", exchange, body, size, end_of_stream)
    }

    fn on_request_trailers(
        &mut self,
        _plugin: &mut BodiesPlugin,
        exchange: &Exchange,
    ) -> Result<TrailersAction> {
        self.trailers("request-trailers", exchange, exchange.request().trailers())
    }

    fn on_response_headers(
        &mut self,
        _plugin: &mut BodiesPlugin,
        exchange: &Exchange,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        self.headers("response-headers", exchange, exchange.response().headers())
    }

    fn on_response_body(
        &mut self,
        _plugin: &mut BodiesPlugin,
        exchange: &Exchange,
        size: u32,
        end_of_stream: bool,
    ) -> Result<DataAction> {
        let body = exchange.response().body();
        self.body("response-body", exchange, body, size, end_of_stream)
    }

    fn on_response_trailers(
        &mut self,
        _plugin: &mut BodiesPlugin,
        exchange: &Exchange,
    ) -> Result<TrailersAction> {
        self.trailers(
            "response-trailers",
            exchange,
            exchange.response().trailers(),
        )
    }

    fn on_stream_end(&mut self, _plugin: &mut BodiesPlugin, _exchange: &Exchange) -> Result<()> {
        info!("exchange is over");
        Ok(())
    }
}

//! Rewrites bodies, or adds their digest.
//!
//! `mode=replace` waits for the whole body and replaces a text in it, `mode=mask` masks digits in each piece as it
//! comes, `mode=digest` lets the body pass and adds a trailer `content-digest`. `legacy-rust-body` is the twin for
//! Proxy-Wasm.

mod digest;
mod mask;
mod replace;
mod settings;

use proxy_wasi_sdk::{Body, Headers, prelude::*};

use self::digest::BodyDigest;
use self::settings::{Mode, Settings};

proxy_wasi_sdk::plugin!(BodyPlugin);

/// One for each configured plugin.
struct BodyPlugin {
    settings: Settings,
}

impl Plugin for BodyPlugin {
    type Stream = BodyStream;

    const INTEREST: Interest = Interest::all();

    fn configure(_root: &Root, configuration: &[u8]) -> Result<Self> {
        Ok(Self {
            settings: Settings::read(configuration)?,
        })
    }

    /// What the configuration does not ask for costs nothing.
    fn interest(&self) -> Interest {
        let requests =
            Interest::REQUEST_HEADERS | Interest::REQUEST_BODY | Interest::REQUEST_TRAILERS;
        let responses =
            Interest::RESPONSE_HEADERS | Interest::RESPONSE_BODY | Interest::RESPONSE_TRAILERS;
        let mut interest = Interest::STREAM_END;
        interest.set(requests, self.settings.requests);
        interest.set(responses, self.settings.responses);
        interest
    }

    fn stream(&mut self) -> BodyStream {
        BodyStream {
            request: BodyDigest::default(),
            response: BodyDigest::default(),
        }
    }
}

/// One for each exchange.
struct BodyStream {
    request: BodyDigest,
    response: BodyDigest,
}

impl HttpStream for BodyStream {
    type Plugin = BodyPlugin;

    fn on_request_headers(
        &mut self,
        plugin: &mut BodyPlugin,
        exchange: &Exchange,
        end_of_stream: bool,
    ) -> Result<HeaderAction> {
        prepare(
            &plugin.settings.mode,
            exchange.request().headers(),
            end_of_stream,
        )
    }

    fn on_request_body(
        &mut self,
        plugin: &mut BodyPlugin,
        exchange: &Exchange,
        _size: u32,
        end_of_stream: bool,
    ) -> Result<DataAction> {
        let request = exchange.request();
        let (body, trailers) = (request.body(), request.trailers());
        edit(
            &plugin.settings.mode,
            body,
            trailers,
            &mut self.request,
            end_of_stream,
        )
    }

    fn on_request_trailers(
        &mut self,
        plugin: &mut BodyPlugin,
        exchange: &Exchange,
    ) -> Result<TrailersAction> {
        let request = exchange.request();
        finish(
            &plugin.settings.mode,
            request.body(),
            request.trailers(),
            &mut self.request,
        )
    }

    fn on_response_headers(
        &mut self,
        plugin: &mut BodyPlugin,
        exchange: &Exchange,
        end_of_stream: bool,
    ) -> Result<HeaderAction> {
        prepare(
            &plugin.settings.mode,
            exchange.response().headers(),
            end_of_stream,
        )
    }

    fn on_response_body(
        &mut self,
        plugin: &mut BodyPlugin,
        exchange: &Exchange,
        _size: u32,
        end_of_stream: bool,
    ) -> Result<DataAction> {
        let response = exchange.response();
        let (body, trailers) = (response.body(), response.trailers());
        edit(
            &plugin.settings.mode,
            body,
            trailers,
            &mut self.response,
            end_of_stream,
        )
    }

    fn on_response_trailers(
        &mut self,
        plugin: &mut BodyPlugin,
        exchange: &Exchange,
    ) -> Result<TrailersAction> {
        let response = exchange.response();
        finish(
            &plugin.settings.mode,
            response.body(),
            response.trailers(),
            &mut self.response,
        )
    }
}

/// The head is there: it must not promise what will no longer hold.
fn prepare(mode: &Mode, headers: Headers, end_of_stream: bool) -> Result<HeaderAction> {
    if end_of_stream {
        return Ok(HeaderAction::Continue);
    }
    match mode {
        // The head goes on before the new length is known.
        Mode::Replace(_) => headers.remove("content-length")?,
        // Every digit makes way for one byte.
        Mode::Mask => {}
        // Over HTTP/1, trailers need a body in chunks, and must be announced.
        Mode::Digest => {
            headers.remove("content-length")?;
            headers.append("trailer", "content-digest")?;
        }
    }
    Ok(HeaderAction::Continue)
}

/// Body bytes are there.
fn edit(
    mode: &Mode,
    body: Body,
    trailers: Headers,
    digest: &mut BodyDigest,
    end_of_stream: bool,
) -> Result<DataAction> {
    match mode {
        Mode::Replace(_) if !end_of_stream => return Ok(DataAction::PauseAndBuffer),
        Mode::Replace(replacement) => {
            if let Some(edited) = replacement.apply(&body.read_all()?) {
                body.replace(edited)?;
            }
        }
        Mode::Mask => {
            let mut bytes = body.read_all()?;
            if mask::digits(&mut bytes) {
                body.replace(bytes)?;
            }
        }
        Mode::Digest => {
            digest.update(&body.read_all()?);
            if end_of_stream {
                trailers.set("content-digest", std::mem::take(digest).field())?;
            }
        }
    }
    Ok(DataAction::Continue)
}

/// The body has ended, and trailers are there.
fn finish(
    mode: &Mode,
    body: Body,
    trailers: Headers,
    digest: &mut BodyDigest,
) -> Result<TrailersAction> {
    match mode {
        // Without a body nothing was held.
        Mode::Replace(replacement) => {
            if let Ok(held) = body.read_all()
                && let Some(edited) = replacement.apply(&held)
            {
                body.replace(edited)?;
            }
        }
        Mode::Mask => {}
        Mode::Digest => trailers.set("content-digest", std::mem::take(digest).field())?,
    }
    Ok(TrailersAction::Continue)
}

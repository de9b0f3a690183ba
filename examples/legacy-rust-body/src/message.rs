//! The two messages of an exchange, which are edited alike.

use proxy_wasm::hostcalls;
use proxy_wasm::types::{Action, BufferType, MapType, Status};

use crate::digest::BodyDigest;
use crate::mask;
use crate::settings::Mode;

/// A request or a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    headers: MapType,
    body: BufferType,
    trailers: MapType,
}

impl Message {
    pub(crate) const REQUEST: Self = Self {
        headers: MapType::HttpRequestHeaders,
        body: BufferType::HttpRequestBody,
        trailers: MapType::HttpRequestTrailers,
    };
    pub(crate) const RESPONSE: Self = Self {
        headers: MapType::HttpResponseHeaders,
        body: BufferType::HttpResponseBody,
        trailers: MapType::HttpResponseTrailers,
    };

    /// The head of a message with a body is there: it must not promise what will no longer hold.
    pub(crate) fn prepare(self, mode: &Mode) {
        let prepared = match mode {
            // The head goes on before the new length is known.
            Mode::Replace(_) => self.remove_length(),
            // Every digit makes way for one byte.
            Mode::Mask => Ok(()),
            // Over HTTP/1, trailers need a body in chunks, and must be announced.
            Mode::Digest => self
                .remove_length()
                .and_then(|()| hostcalls::add_map_value(self.headers, "trailer", "content-digest")),
        };
        report(prepared);
    }

    /// Body bytes are there.
    pub(crate) fn edit(
        self,
        mode: &Mode,
        digest: &mut BodyDigest,
        size: usize,
        end_of_stream: bool,
    ) -> Action {
        match mode {
            Mode::Replace(_) if !end_of_stream => return Action::Pause,
            Mode::Replace(replacement) => {
                if let Some(edited) = replacement.apply(&self.read(size)) {
                    report(hostcalls::set_buffer(self.body, 0, size, &edited));
                }
            }
            Mode::Mask => {
                let mut bytes = self.read(size);
                if mask::digits(&mut bytes) {
                    report(hostcalls::set_buffer(self.body, 0, size, &bytes));
                }
            }
            Mode::Digest => {
                digest.update(&self.read(size));
                if end_of_stream {
                    self.add_digest(digest);
                }
            }
        }
        Action::Continue
    }

    /// The body has ended, and trailers are there.
    pub(crate) fn finish(self, mode: &Mode, digest: &mut BodyDigest) {
        match mode {
            // Without a body nothing was held.
            Mode::Replace(replacement) => {
                if let Some(edited) = replacement.apply(&self.read(usize::MAX)) {
                    report(hostcalls::set_buffer(self.body, 0, usize::MAX, &edited));
                }
            }
            Mode::Mask => {}
            Mode::Digest => self.add_digest(digest),
        }
    }

    fn remove_length(self) -> Result<(), Status> {
        hostcalls::set_map_value(self.headers, "content-length", None)
    }

    fn read(self, size: usize) -> Vec<u8> {
        let bytes = hostcalls::get_buffer(self.body, 0, size);
        bytes.ok().flatten().unwrap_or_default()
    }

    fn add_digest(self, digest: &mut BodyDigest) {
        let field = std::mem::take(digest).field();
        report(hostcalls::set_map_value(
            self.trailers,
            "content-digest",
            Some(&field),
        ));
    }
}

/// What the host refuses is logged: the message goes on as it is.
fn report(outcome: Result<(), Status>) {
    if let Err(status) = outcome {
        log::error!("the host refuses an edit: {status:?}");
    }
}

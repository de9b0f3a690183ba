//! Counts the bytes of uploads, so that a request without body has nothing that this plugin wants to see.

use proxy_wasi_sdk::metrics::Counter;
use proxy_wasi_sdk::prelude::*;

proxy_wasi_sdk::plugin!(Uploads);

/// One for each configured plugin.
struct Uploads {
    bytes: Counter,
}

impl Plugin for Uploads {
    type Stream = UploadsStream;

    const INTEREST: Interest = Interest::REQUEST_BODY;

    fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
        Ok(Self {
            bytes: Counter::define("uploaded_bytes")?,
        })
    }

    fn stream(&mut self) -> UploadsStream {
        UploadsStream
    }
}

/// One for each exchange.
struct UploadsStream;

impl HttpStream for UploadsStream {
    type Plugin = Uploads;

    fn on_request_body(
        &mut self,
        plugin: &mut Uploads,
        _exchange: &Exchange<'_>,
        size: u32,
        _end_of_stream: bool,
    ) -> Result<DataAction> {
        plugin.bytes.add(size.into());
        Ok(DataAction::Continue)
    }
}

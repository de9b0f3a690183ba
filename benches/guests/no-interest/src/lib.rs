//! Refuses large uploads. A request without body has nothing that this plugin wants to see.

use proxy_wasi_sdk::prelude::*;

proxy_wasi_sdk::plugin!(Uploads);

/// Bytes that a request body may have.
const LIMIT: u64 = 1024 * 1024 * 1024;

/// One for each configured plugin.
struct Uploads;

impl Plugin for Uploads {
    type Stream = Upload;

    const INTEREST: Interest = Interest::REQUEST_BODY;

    fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
        Ok(Self)
    }

    fn stream(&mut self) -> Upload {
        Upload { size: 0 }
    }
}

/// One for each exchange.
struct Upload {
    size: u64,
}

impl HttpStream for Upload {
    type Plugin = Uploads;

    fn on_request_body(
        &mut self,
        _plugin: &mut Uploads,
        exchange: &Exchange<'_>,
        size: u32,
        _end_of_stream: bool,
    ) -> Result<DataAction> {
        self.size += u64::from(size);
        if self.size > LIMIT {
            exchange.respond(LocalResponse::new(413).body("too large\n"))?;
        }
        Ok(DataAction::Continue)
    }
}

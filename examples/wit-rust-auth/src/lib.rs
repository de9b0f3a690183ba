//! Lets only known users pass, and tells the upstream who they are.
//!
//! A request without credentials is answered with 401, one with wrong ones with 403. Of the others the credentials are
//! taken off, and `x-user` says whose they were. An upstream's 500 becomes a 502 that gives nothing away.
//! `legacy-rust-auth` is the twin for Proxy-Wasm.

mod users;

use proxy_wasi_sdk::prelude::*;

use self::users::Users;

proxy_wasi_sdk::plugin!(Auth);

/// One for each configured plugin.
struct Auth {
    users: Users,
}

impl Plugin for Auth {
    type Stream = AuthStream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS.union(Interest::RESPONSE_HEADERS);

    fn configure(_root: &Root, configuration: &[u8]) -> Result<Self> {
        Ok(Self {
            users: Users::read(configuration)?,
        })
    }

    fn stream(&mut self) -> AuthStream {
        AuthStream
    }
}

/// One for each exchange.
struct AuthStream;

impl HttpStream for AuthStream {
    type Plugin = Auth;

    fn on_request_headers(
        &mut self,
        plugin: &mut Auth,
        exchange: &Exchange,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        let headers = exchange.request().headers();
        // All values: an upstream might look at another one than the first.
        match headers.get_all("authorization")?.as_slice() {
            [] => {
                info!("request refused: no credentials");
                let response = LocalResponse::new(401)
                    .header("www-authenticate", "Bearer realm=\"proxy-wasi\"")
                    .body("credentials needed\n");
                exchange.respond(response)?;
                Ok(HeaderAction::Pause)
            }
            [credentials] if let Some(user) = plugin.users.identify(credentials.as_bytes()) => {
                headers.remove("authorization")?;
                headers.set("x-user", user)?;
                Ok(HeaderAction::Continue)
            }
            _ => {
                info!("request refused: wrong credentials");
                exchange.respond(LocalResponse::new(403).body("credentials refused\n"))?;
                Ok(HeaderAction::Pause)
            }
        }
    }

    fn on_response_headers(
        &mut self,
        _plugin: &mut Auth,
        exchange: &Exchange,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        if exchange.response().status()? == Some(500) {
            exchange.respond(LocalResponse::new(502).body("the service has failed\n"))?;
            return Ok(HeaderAction::Pause);
        }
        Ok(HeaderAction::Continue)
    }
}
